// The curl-like flags that describe a call, for `submit` and `schedule put`.
import type { HttpInput } from '../client/index.ts';
import type { Options, Values } from './command.ts';
import { parseJson, readValue, splitPair } from './input.ts';
import type { Io } from './io.ts';

export const httpOptions = {
  method: { type: 'string', short: 'X', value: 'METHOD', about: 'GET, or POST when there is a body' },
  header: { type: 'string', short: 'H', multiple: true, value: 'NAME:VALUE', about: 'a header; may be repeated' },
  data: { type: 'string', short: 'd', value: 'BODY', about: 'the body: JSON or text, @file, or @- for standard input' },
  timeout: { type: 'string', value: '10s', about: 'for one attempt' },
} as const satisfies Options;

/** Only what was given, so that it can be laid over a file. */
export async function readHttpFlags(
  url: string | undefined,
  { method, header, data, timeout }: Values<typeof httpOptions>,
  io: Io,
): Promise<Partial<HttpInput>> {
  const headers = header && Object.fromEntries(header.map((one) => splitPair(one, '--header')));
  return {
    ...(url !== undefined && { url }),
    ...(method !== undefined && { method: method.toUpperCase() }),
    ...(headers && { headers }),
    ...(timeout !== undefined && { timeout }),
    ...(data !== undefined && readBody(await readValue(data, io), headers)),
  };
}

function readBody(text: string, headers: Record<string, string> = {}): { body: unknown } | { bodyText: string } {
  const [, type] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type') ?? [];
  if (type !== undefined) return /\bjson\b/i.test(type) ? { body: parseJson(text, '--data') } : { bodyText: text };
  try {
    return { body: JSON.parse(text) as unknown };
  } catch {
    return { bodyText: text };
  }
}
