// Scheme, host and port of many URLs: what depends on them alone is found out once for each of them.

const AUTHORITY = /^https?:\/\/[^/\\?#]+/i;

/** `find` is given the URL without its path, which can be at fault no more once these are in order. */
export function oncePerAuthority<T>(find: (url: string) => T): (url: string) => T {
  const found = new Map<string, T>();
  return (url) => {
    const authority = AUTHORITY.exec(url)?.[0] ?? url;
    const known = found.get(authority);
    if (known !== undefined) return known;
    const value = find(authority);
    found.set(authority, value);
    return value;
  };
}
