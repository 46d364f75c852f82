// Counts tokens that were no good, by address: whoever guesses is slowed down, whoever has a good one never notices.
import { isIPv6 } from 'node:net';

import ipaddr from 'ipaddr.js';

const WINDOW_MS = 60_000;
const ALLOWED_FAILURES = 10;
const MAX_ADDRESSES = 10_000;

interface Failures {
  count: number;
  untilMs: number;
}

export interface FailedTokens {
  /** Counts one more; answers how long to wait when there were too many in this minute, else null. */
  add(address: string): number | null;
}

export function createFailedTokens({
  nowMs = () => performance.now(),
  maxAddresses = MAX_ADDRESSES,
} = {}): FailedTokens {
  // In the order in which the windows began, so that the first is the one that ends first.
  const byAddress = new Map<string, Failures>();

  return {
    add(address) {
      const now = nowMs();
      const key = networkOf(address);
      for (const [oldest, { untilMs }] of byAddress) {
        if (untilMs > now && byAddress.size < maxAddresses) break;
        byAddress.delete(oldest);
      }
      const failures = byAddress.get(key) ?? { count: 0, untilMs: now + WINDOW_MS };
      byAddress.set(key, failures);
      failures.count += 1;
      return failures.count > ALLOWED_FAILURES ? failures.untilMs - now : null;
    },
  };
}

/** One machine has as many IPv6 addresses as it likes, but only one network. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const parsed = ipaddr.IPv6.parse(address.replace(/%.*/, ''));
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  return parsed.parts.slice(0, 4).join(':');
}
