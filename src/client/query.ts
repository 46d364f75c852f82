// Turns a filter object into a query: arrays repeat, dates become UTC text, `undefined` is left out.

type Value = string | number | boolean | Date;
export type Query = { readonly [name: string]: Value | readonly Value[] | null | undefined };

export function queryString(query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const values: readonly (Value | null | undefined)[] = isMany(value) ? value : [value];
    for (const one of values) {
      if (one !== undefined && one !== null) params.append(name, one instanceof Date ? one.toISOString() : String(one));
    }
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

function isMany(value: Query[string]): value is readonly Value[] {
  return Array.isArray(value);
}
