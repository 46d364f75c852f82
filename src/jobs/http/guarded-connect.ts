// Opens connections only to addresses the egress policy allows, whatever the URL spells and DNS answers.
import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction, Socket } from 'node:net';

import { buildConnector } from 'undici';

import type { EgressPolicy } from './egress.ts';
import { type ResolvedAddress, shareLookups } from './share-lookups.ts';
import { knownAddresses, TARGET_NOT_ALLOWED_DETAIL } from './target-url.ts';

export interface GuardedConnectDeps {
  getPolicy: () => EgressPolicy;
  resolve?: (hostname: string) => Promise<ResolvedAddress[]>;
  connectTimeoutMs?: number;
}

/** undici's connector, but it returns the socket under way so that a call given up can end its dialing too. */
export type GuardedConnect = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket | null;

export class TargetNotAllowedError extends Error {
  readonly code = 'targetNotAllowed';

  constructor() {
    super(TARGET_NOT_ALLOWED_DETAIL);
  }
}

// Node gives up on the first of several addresses after 250 ms, which is less than a far host takes.
const NEXT_ADDRESS_AFTER_MS = 1_000;

export function createGuardedConnect({
  getPolicy,
  resolve = (hostname) => systemLookup(hostname, { all: true, verbatim: true }),
  connectTimeoutMs = 10_000,
}: GuardedConnectDeps): GuardedConnect {
  // Given up before the connection is, so that the reason names the resolver.
  const addressesOf = shareLookups(resolve, connectTimeoutMs * 0.9);
  const allowedAddresses = async (hostname: string): Promise<ResolvedAddress[]> => {
    const host = hostname.replace(/\.$/, '');
    const policy = getPolicy();
    const allowed = (one: ResolvedAddress) => policy.allowsAddress(one.address);
    const known = knownAddresses(host)?.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    // The loopback names stand for two addresses, of which the policy may name one.
    const addresses = known ? known.filter(allowed) : await addressesOf(hostname);
    // One forbidden address among good ones is how DNS rebinding looks: the name as a whole is refused.
    if (known ? addresses.length === 0 : !addresses.every(allowed)) throw new TargetNotAllowedError();
    if (addresses.length === 0) throw new Error(`no address for ${host}`);
    return addresses;
  };

  // Node dials exactly what this answers, and keeps the name for TLS.
  const lookup: LookupFunction = (hostname, options, callback) => {
    allowedAddresses(hostname).then(
      (addresses) =>
        options.all ? callback(null, addresses) : callback(null, addresses[0]!.address, addresses[0]!.family),
      (error: Error) => callback(error, ''),
    );
  };

  const dial = buildConnector({
    lookup,
    timeout: connectTimeoutMs,
    allowH2: false,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
  }) as GuardedConnect;

  return (options, callback) => {
    // Node does not look up a literal address, so its lookup is not asked about one.
    const literal = knownAddresses(options.hostname);
    if (literal && !literal.some((address) => getPolicy().allowsAddress(address))) {
      callback(new TargetNotAllowedError(), null);
      return null;
    }
    return dial(options, (...[error, socket]) => {
      if (error) return callback(error, null);
      const fault = peerFault(socket, getPolicy());
      if (!fault) return callback(null, socket);
      socket.destroy();
      callback(fault, null);
    });
  };
}

function peerFault(socket: Socket, policy: EgressPolicy): Error | null {
  // undici would dial again for ever if it were handed a socket that is closed already.
  if (socket.destroyed || !socket.remoteAddress) return new Error('the connection was closed at once');
  return policy.allowsAddress(socket.remoteAddress) ? null : new TargetNotAllowedError();
}
