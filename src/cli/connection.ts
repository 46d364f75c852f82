// Finds out which service to talk to, and as whom: flags, then environment, then profile, then this machine.
import { UsageError } from './exit.ts';
import type { Io } from './io.ts';
import { readProfiles } from './profiles.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';

export interface Connection {
  url: string;
  token: string | null;
}

export interface ConnectionFlags {
  url?: string;
  token?: string;
  profile?: string;
}

export async function resolveConnection(flags: ConnectionFlags, { env }: Io): Promise<Connection> {
  const { current, profiles } = await readProfiles(env.configFile);
  const asked = flags.profile ?? env.profile;
  const name = asked ?? current;
  const profile = name === null ? undefined : profiles[name];
  if (asked !== null && !profile) {
    throw new UsageError(`There is no profile "${asked}". Make it with: perdure login ${asked} --url <url>`);
  }
  // A profile that was asked for by flag beats the environment, as every flag does.
  const environmentUrl = flags.profile === undefined ? env.url : null;
  const url = checkUrl(flags.url ?? environmentUrl ?? profile?.url ?? DEFAULT_URL);
  const environmentToken = flags.profile === undefined ? env.token : null;
  // The token of a profile is for its own service: it is never sent to another.
  const profileToken = profile && sameService(url, profile.url) ? profile.token : null;
  return { url, token: flags.token ?? environmentToken ?? profileToken };
}

export function checkUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new UsageError(`"${url}" is not an http(s) URL`);
  return url;
}

function sameService(one: string, other: string): boolean {
  return new URL(one).href === new URL(other).href;
}
