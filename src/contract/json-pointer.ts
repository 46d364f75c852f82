// JSON pointers (RFC 6901): how faults name a place in what was sent.

/** The pointer of a path below `base`; keys with `~` or `/` are escaped. */
export function jsonPointer(path: Iterable<PropertyKey>, base = ''): string {
  let pointer = base;
  for (const token of path) pointer += `/${escapeToken(String(token))}`;
  return pointer;
}

export function parseJsonPointer(pointer: string): string[] {
  const tokens = pointer.split('/').slice(1);
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function escapeToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}
