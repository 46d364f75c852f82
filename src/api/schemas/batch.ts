// What a batch may hold: its own fields, and items that are jobs once its defaults are laid under them.
import { setImmediate as nextTurn } from 'node:timers/promises';

import { z } from 'zod';

import type { FieldFault } from '../../contract/problem.ts';
import type { BatchSubmission } from '../../jobs/batches/new-batch.ts';
import type { EgressPolicy } from '../../jobs/http/egress.ts';
import { createTargetTest } from '../../jobs/http/target-url.ts';
import { createAlikeParser } from '../../jobs/spec/alike.ts';
import { onePerPointer, parseBySchema } from '../../jobs/spec/faults.ts';
import { isName, labelsSchema, nameSchema } from '../../jobs/spec/job-schema.ts';
import { locateFault, mergeItemDefaults } from '../../jobs/spec/merge.ts';
import { notifySchema } from '../../jobs/spec/notify-schema.ts';
import { parseJobSpec, type SpecFaultCode } from '../../jobs/spec/parse-job-spec.ts';
import { integer, isMembers } from '../../jobs/spec/rules.ts';
import { targetFaults } from '../../jobs/spec/target-rules.ts';
import { notifyRules } from '../../jobs/spec/with-defaults.ts';

export const MAX_ITEMS = 10_000;
export const DEFAULT_CONCURRENCY = 50;
/** A mistake in each of 10,000 items is one mistake. */
export const MAX_FAULTS = 100;
/** Defaults are stored with each item: a few kilobytes for 10,000, more for fewer. */
const MAX_REPEATED_CHARACTERS = 32 * 1024 * 1024;
/** Others are served in between, and after the body was parsed. */
const ITEMS_PER_TURN = 200;

export const batchSchema = z.strictObject({
  name: nameSchema.nullish(),
  defaults: z.record(z.string(), z.unknown()).optional(),
  items: z.array(z.unknown()).min(1).max(MAX_ITEMS),
  concurrency: integer(1, 1_000).optional(),
  notify: notifySchema(['finished']).optional(),
  labels: labelsSchema.optional(),
});

export type ParsedBatch =
  { ok: true; batch: BatchSubmission } | { ok: false; code: SpecFaultCode; faults: FieldFault[] };

interface ParseOptions {
  policy: EgressPolicy;
  now: Date;
}

export async function parseBatch(input: unknown, options: ParseOptions): Promise<ParsedBatch> {
  const parsed = parseBySchema(batchSchema, input);
  if (!parsed.ok) return { ok: false, code: 'validationFailed', faults: parsed.faults.slice(0, MAX_FAULTS) };
  const { name, defaults, items, concurrency, notify, labels } = parsed.value;
  if (JSON.stringify(defaults ?? {}).length * items.length > MAX_REPEATED_CHARACTERS) {
    const detail = `Too large to be repeated in each of ${items.length} items.`;
    return { ok: false, code: 'validationFailed', faults: [{ pointer: '/defaults', detail }] };
  }
  const targets = targetFaults({ notify }, options.policy);
  const found = await parseItems(items, defaults, options);
  const faults = onePerPointer([...targets.faults, ...found.faults]).slice(0, MAX_FAULTS);
  if (faults.length > 0) {
    return { ok: false, code: targets.notAllowed ? 'targetNotAllowed' : found.code, faults };
  }
  const batch = {
    name: name ?? null,
    concurrency: concurrency ?? DEFAULT_CONCURRENCY,
    notify: notifyRules(notify),
    labels: labels ?? {},
    items: found.items,
  };
  return { ok: true, batch };
}

interface FoundItems {
  items: BatchSubmission['items'];
  code: SpecFaultCode;
  faults: FieldFault[];
}

async function parseItems(items: unknown[], defaults: unknown, options: ParseOptions): Promise<FoundItems> {
  const found: FoundItems = { items: [], code: 'validationFailed', faults: [] };
  const keys = new Set<string>();
  const parse = createAlikeParser({
    parse: (item) => parseJobSpec(mergeItemDefaults(defaults, item), options),
    isTarget: createTargetTest(options.policy),
  });
  for (const [index, sent] of items.entries()) {
    if (index % ITEMS_PER_TURN === 0) await nextTurn();
    if (found.faults.length >= MAX_FAULTS) break;
    const itemPointer = `/items/${index}`;
    const { key, item } = splitKey(sent);
    found.faults.push(...keyFaults(key, keys, `${itemPointer}/key`));
    const parsed = parse(item);
    if (parsed.ok) {
      found.items.push({ key: typeof key === 'string' ? key : null, spec: parsed.spec, model: parsed.model });
      continue;
    }
    if (parsed.code === 'targetNotAllowed') found.code = parsed.code;
    const sentAs = { item, itemPointer, defaults, defaultsPointer: '/defaults' };
    found.faults = onePerPointer([...found.faults, ...parsed.faults.map((fault) => locateFault(fault, sentAs))]);
  }
  return found;
}

/** The key is the item's name within the batch and no part of the job; defaults have none. */
function splitKey(sent: unknown): { key: unknown; item: unknown } {
  if (!isMembers(sent) || !('key' in sent)) return { key: undefined, item: sent };
  const { key, ...item } = sent;
  return { key, item };
}

function keyFaults(key: unknown, seen: Set<string>, pointer: string): FieldFault[] {
  if (key === undefined) return [];
  if (isName(key)) return isNew(seen, key) ? [] : [{ pointer, detail: 'Occurs more than once.' }];
  const checked = parseBySchema(nameSchema, key, pointer);
  return checked.ok ? [] : checked.faults;
}

function isNew(seen: Set<string>, value: string): boolean {
  return seen.size !== seen.add(value).size;
}
