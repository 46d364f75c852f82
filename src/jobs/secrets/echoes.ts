// A target that repeats a secret in its answer does not bring it into our rows: each exact copy is taken out.
import { REDACTED } from '../http/headers.ts';
import type { SendOutcome } from '../http/send.ts';

export function withoutEchoes(outcome: SendOutcome, secrets: readonly string[]): SendOutcome {
  if (outcome.kind !== 'answered' || secrets.length === 0) return outcome;
  const texts = [...new Set(secrets.flatMap(spellings))].sort((a, b) => b.length - a.length);
  const headers = Object.entries(outcome.headers).map(([name, value]) => [name, withoutTexts(value, texts)]);
  return {
    ...outcome,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: clean(outcome.body, texts),
  };
}

/** As it is, and as it stands in JSON. */
function spellings(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1)];
}

function withoutTexts(value: string, texts: readonly string[]): string {
  return texts.reduce((text, secret) => text.replaceAll(secret, REDACTED), value);
}

/** Byte for byte, so that it does not matter what the rest of the body is. */
function clean(body: Buffer, texts: readonly string[]): Buffer {
  const found = texts.some((secret) => body.includes(secret, 0, 'latin1') || body.includes(secret));
  if (!found) return body;
  const bytes = body.toString('latin1');
  const encoded = texts.flatMap((secret) => [secret, Buffer.from(secret).toString('latin1')]);
  return Buffer.from(withoutTexts(bytes, encoded), 'latin1');
}
