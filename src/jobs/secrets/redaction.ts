// What answers never show: headers whose names say that they are secret, and whatever names the user adds to these.
import { isSecretHeader, REDACTED } from '../http/headers.ts';
import { isMembers } from '../spec/rules.ts';

export type Redaction = ReturnType<typeof createRedaction>;

/** `names` are those of headers, of fields in JSON bodies and of parameters in queries, in any case. */
export function createRedaction(names: readonly string[]) {
  const extra = new Set(names.map((name) => name.toLowerCase()));
  const isExtra = (name: string) => extra.has(name.toLowerCase());
  const isSecret = (name: string) => isSecretHeader(name) || isExtra(name);

  const fields = (value: unknown): unknown => {
    if (extra.size === 0 || typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(fields);
    return Object.fromEntries(
      Object.entries(value).map(([name, held]) => [name, isExtra(name) ? REDACTED : fields(held)]),
    );
  };

  return {
    isSecretHeader: isSecret,

    headers<Value>(headers: Record<string, Value>): Record<string, Exclude<Value, { sealed: string }> | string> {
      const shown = Object.entries(headers).map(([name, value]) => {
        // Sealed under a name that is no longer among those to hide.
        const isHidden = isSecret(name) || (isMembers(value) && 'sealed' in value);
        return [name, isHidden ? REDACTED : value];
      });
      return Object.fromEntries(shown) as Record<string, Exclude<Value, { sealed: string }> | string>;
    },

    /** JSON of any shape: bodies, inputs, outputs. */
    fields: <T>(value: T): T => fields(value) as T,

    query: (query: Record<string, string>): Record<string, string> => fields(query) as Record<string, string>,

    url(url: string): string {
      if (extra.size === 0 || !url.includes('?')) return url;
      const [path = '', ...rest] = url.split('?');
      const [query = '', ...fragment] = rest.join('?').split('#');
      const shown = query.split('&').map((pair) => {
        const [name = ''] = pair.split('=');
        return isExtra(decode(name)) ? `${name}=${REDACTED}` : pair;
      });
      return [`${path}?${shown.join('&')}`, ...fragment].join('#');
    },
  };
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}
