// The system's resolver keeps a thread for each lookup, and has few: calls to one name wait for one lookup together.
export interface ResolvedAddress {
  address: string;
  family: number;
}

type Resolve = (hostname: string) => Promise<ResolvedAddress[]>;

/** Nothing is kept: an answer is for those who waited for it. */
export function shareLookups(resolve: Resolve, timeoutMs: number): Resolve {
  const underWay = new Map<string, Promise<ResolvedAddress[]>>();
  return (hostname) => {
    let lookup = underWay.get(hostname);
    if (!lookup) {
      // Until it has really ended, also when all have given up: another one would take another thread.
      lookup = resolve(hostname).finally(() => underWay.delete(hostname));
      underWay.set(hostname, lookup);
    }
    return within(lookup, hostname, timeoutMs);
  };
}

function within<T>(lookup: Promise<T>, hostname: string, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error(`getaddrinfo has no answer for ${hostname} after ${timeoutMs / 1_000} s`));
    const timer = setTimeout(giveUp, timeoutMs);
    lookup.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
