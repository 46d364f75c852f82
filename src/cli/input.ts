// Reads what users hand in: text, `@file`, `-` for standard input, JSON, numbers and labels.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

import { durationMs } from '../client/duration.ts';
import type { LabelFilter } from '../client/index.ts';
import { UsageError } from './exit.ts';
import { type Io, readStdin } from './io.ts';

export async function readText(source: string, io: Io): Promise<string> {
  return source === '-' ? readStdin(io) : readFile(source, 'utf8');
}

/** `{"a":1}`, `@file` or `@-`. */
export async function readValue(text: string, io: Io): Promise<string> {
  return text.startsWith('@') ? readText(text.slice(1), io) : text;
}

export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${what} is not JSON: ${(error as Error).message}`);
  }
}

export async function readJsonFile<Value>(source: string, io: Io): Promise<Value> {
  return parseJson(await readText(source, io), source === '-' ? 'standard input' : source) as Value;
}

export async function* readLines<Value>(source: string, io: Io): AsyncGenerator<Value> {
  const input = source === '-' ? Readable.from(io.stdin) : createReadStream(source);
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    number++;
    if (line.trim() !== '') yield parseJson(line, `line ${number} of ${source}`) as Value;
  }
}

export function parseCount(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`${flag} takes a whole number above 0, not "${text}"`);
  return Number(text);
}

/** Of what the service reads it says itself what is wrong; this is for what we wait ourselves. */
export function parseDuration(text: string, flag: string): number {
  try {
    return durationMs(text);
  } catch (error) {
    throw new UsageError(`${flag}: ${(error as Error).message}`);
  }
}

/** What `wait` of the SDK takes, from `--wait` and `--limit`. */
export function waitFlags({ wait, limit }: { wait?: boolean; limit?: string }): { wait?: true | string } {
  if (limit !== undefined) parseDuration(limit, '--limit');
  return wait || limit !== undefined ? { wait: limit ?? true } : {};
}

/** `team:billing`, several times, as an object. */
export function parseLabels(labels: string[] | undefined): Record<string, string> | undefined {
  return labels && Object.fromEntries(labels.map((label) => splitPair(label, '--label')));
}

export function labelFilters(labels: string[] | undefined): LabelFilter[] | undefined {
  return labels?.map((label): LabelFilter => {
    const [key, value] = splitPair(label, '--label');
    return `${key}:${value}`;
  });
}

export function splitPair(text: string, flag: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new UsageError(`${flag} takes name:value, not "${text}"`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}
