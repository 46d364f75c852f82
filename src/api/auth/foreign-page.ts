// Without authentication being on this machine is the token, and a page in this machine's browser would hold it too.
import { isIP } from 'node:net';

import type { Request } from 'express';

/** A page of another site, or one whose name was made to lead here (DNS rebinding): only a proxy brings other names. */
export function isForeignPage(request: Request, { behindProxy }: { behindProxy: boolean }): boolean {
  const host = hostnameOf(`http://${request.get('host') ?? ''}`);
  if (!behindProxy && isPublicName(host)) return true;
  if (request.get('sec-fetch-site') === 'cross-site') return true;
  const origin = request.get('origin');
  return origin !== undefined && hostnameOf(origin) !== host;
}

/** Only such names can be given to this machine by somebody else. */
function isPublicName(host: string | null): boolean {
  return host !== null && isIP(host) === 0 && /\.[^.]/.test(host);
}

function hostnameOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null;
}
