// The bodies of redrives: of one dead letter, and of many.
import { z } from 'zod';

import { FAILURE_CODES } from '../../contract/problem.ts';
import type { BulkRequest } from '../../jobs/bulk-redrive.ts';
import type { RedriveRequest } from '../../jobs/redrive.ts';
import { parseBySchema, type Parsed } from '../../jobs/spec/faults.ts';
import { type FilterRule, HOST_FILTER } from './list-query.ts';

const MAX_IDS = 10_000;
const DEFAULT_PER_SECOND = 50;

export const DEAD_LETTER_QUERY = {
  reason: { values: FAILURE_CODES },
  name: {},
  host: HOST_FILTER,
  fingerprint: {},
  kind: { values: ['job', 'run'] },
  redriven: { values: ['true', 'false'] },
} satisfies Record<string, FilterRule>;

const patch = z.record(z.string(), z.unknown());

export const redriveSchema = z.strictObject({
  patch: patch.optional(),
  newKey: z.boolean().optional(),
  fromStep: z.string().optional(),
});

const values = z.union([z.string(), z.array(z.string()).min(1)]).transform((given) => [given].flat());

export const bulkSchema = z
  .strictObject({
    ids: z
      .array(z.string().regex(/^[A-Za-z0-9_.:-]{1,200}$/, 'Not an id.'))
      .min(1)
      .max(MAX_IDS)
      .optional(),
    filter: z
      .strictObject({
        reason: values
          .refine(
            (reasons) => reasons.every((reason) => FAILURE_CODES.includes(reason)),
            'Not a reason of dead letters.',
          )
          .optional(),
        name: values.optional(),
        host: values.transform((hosts) => hosts.map((host) => host.toLowerCase())).optional(),
        fingerprint: values.optional(),
        kind: z
          .union([z.enum(['job', 'run']), z.array(z.enum(['job', 'run'])).min(1)])
          .transform((given) => [given].flat())
          .optional(),
      })
      .refine((filter) => Object.keys(filter).length > 0, 'Name at least one filter.')
      .optional(),
    patch: patch.optional(),
    maxPerSecond: z.int().min(1).max(1_000).optional(),
  })
  .refine((body) => (body.ids === undefined) !== (body.filter === undefined), 'Give either ids or filter.');

export function parseRedrive(body: unknown): Parsed<RedriveRequest> {
  const parsed = parseBySchema(redriveSchema, body);
  if (!parsed.ok) return parsed;
  const { patch: given = {}, newKey = false, fromStep } = parsed.value;
  if (fromStep !== undefined) {
    return { ok: false, faults: [{ pointer: '/fromStep', detail: 'Only a run has steps to start from.' }] };
  }
  return { ok: true, value: { patch: given, newKey } };
}

export function parseBulkRedrive(body: unknown): Parsed<BulkRequest> {
  const parsed = parseBySchema(bulkSchema, body);
  if (!parsed.ok) return parsed;
  const { ids, filter, patch: given = {}, maxPerSecond = DEFAULT_PER_SECOND } = parsed.value;
  const filters = filter ? (Object.fromEntries(Object.entries(filter)) as Record<string, string[]>) : null;
  return { ok: true, value: { ids: ids ? [...new Set(ids)] : null, filters, patch: given, maxPerSecond } };
}
