// Whether a URL may be called, judged by its text alone: names are resolved, and judged again, when the call is made.
import { isIP } from 'node:net';

import { oncePerAuthority } from './authority.ts';
import type { EgressPolicy } from './egress.ts';

export type TargetCheck =
  { ok: true; url: URL } | { ok: false; code: 'invalidUrl' | 'targetNotAllowed'; detail: string };

/** One text for every reason, so that answers cannot be used to map the network behind us. */
export const TARGET_NOT_ALLOWED_DETAIL = 'The target is not allowed.';

const MAX_URL_BYTES = 8 * 1024;
const MAX_HOST_LENGTH = 253;
const METADATA_NAMES = ['metadata', 'instance-data', 'metadata.google.internal', 'metadata.azure.internal'];

export function checkTargetUrl(text: string, policy: EgressPolicy): TargetCheck {
  const url = textFault(text) ?? parseUrl(text);
  if (typeof url === 'string') return { ok: false, code: 'invalidUrl', detail: url };
  const addresses = knownAddresses(hostOf(url));
  if (addresses && !addresses.some((address) => policy.allowsAddress(address))) {
    return { ok: false, code: 'targetNotAllowed', detail: TARGET_NOT_ALLOWED_DETAIL };
  }
  return { ok: true, url };
}

/** For many URLs: says of each what `checkTargetUrl` says, and judges a host they share once. */
export function createTargetTest(policy: EgressPolicy): (text: string) => boolean {
  const isAllowed = oncePerAuthority((url) => checkTargetUrl(url, policy).ok);
  return (text) => textFault(text) === null && isAllowed(text);
}

/** The host as one dials it: without brackets and without the root's dot. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

/** What a host stands for without asking anyone; null for a name that has to be resolved. */
export function knownAddresses(host: string): string[] | null {
  if (isIP(host)) return [host];
  // RFC 6761: these names never leave the machine, whatever a resolver says.
  if (host === 'localhost' || host.endsWith('.localhost')) return ['127.0.0.1', '::1'];
  if (METADATA_NAMES.includes(host)) return ['169.254.169.254'];
  return null;
}

function textFault(text: string): string | null {
  if (Buffer.byteLength(text) > MAX_URL_BYTES) return `A URL has at most ${MAX_URL_BYTES} bytes.`;
  // The URL parser would drop some of these silently.
  if (/[\s\p{Cc}]/u.test(text)) return 'A URL has no spaces or control characters.';
  if (!/^https?:\/\/[^/\\]/i.test(text)) return 'A URL begins with http:// or https:// and a host.';
  if (/^[^/]+\/\/[^/\\?#]*@/.test(text)) return 'A URL has no user name or password.';
  return null;
}

function parseUrl(text: string): URL | string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'The URL is not valid.';
  }
  // The parser spells every IPv4 notation as four decimals, so what is checked here is what is dialed.
  const host = hostOf(url);
  if (host === '' || host.length > MAX_HOST_LENGTH || /^\.|\.\.|\.$/.test(host)) return 'The host name is not valid.';
  const port = Number(url.port || '443');
  if (port !== 80 && port !== 443 && port < 1024) return 'The port is 80, 443 or 1024 to 65535.';
  return url;
}
