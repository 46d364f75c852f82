// The bodies that start a run, or drive one again.
import { z } from 'zod';

import { parseDurationMs } from '../../contract/duration.ts';
import type { FieldFault } from '../../contract/problem.ts';
import { RUN_STATUSES } from '../../contract/run.ts';
import { parseTimestamp } from '../../contract/timestamp.ts';
import { parseBySchema, type Parsed } from '../../jobs/spec/faults.ts';
import { deadlineSchema, delaySchema, labelsSchema, prioritySchema, runAtSchema } from '../../jobs/spec/job-schema.ts';
import { exclusive, integer, MINUTE_MS, withRule, YEAR_MS } from '../../jobs/spec/rules.ts';

export const RUN_QUERY = { workflow: {}, status: { values: RUN_STATUSES }, scheduleId: {}, label: {} };

const versionSchema = integer(1, 1_000_000_000);

const common = {
  input: z.unknown().optional(),
  labels: labelsSchema.optional(),
  runAt: runAtSchema.nullish(),
  delay: delaySchema.nullish(),
  deadline: deadlineSchema.nullish(),
  priority: prioritySchema.optional(),
};

export const startSchema = withRule(z.strictObject({ ...common, version: versionSchema.nullish() }), (body) =>
  exclusive(body, ['runAt', 'delay']),
);

export const inlineSchema = withRule(z.strictObject({ ...common, definition: z.unknown() }), (body) =>
  exclusive(body, ['runAt', 'delay']),
);

export const redriveRunSchema = z.strictObject({
  fromStep: z.string().min(1).max(64).nullish(),
  patch: z
    .strictObject({ input: z.unknown().optional(), definition: z.record(z.string(), z.unknown()).optional() })
    .optional(),
  version: versionSchema.nullish(),
  newKey: z.boolean().optional(),
});

export interface RunStart {
  input: unknown;
  labels: Record<string, string>;
  runAt: Date | null;
  deadline: string | null;
  priority: number | undefined;
  version: number | null;
  definition: unknown;
}

/** `now` decides what a `runAt` or a `delay` means. */
export function parseRunStart(
  schema: typeof startSchema | typeof inlineSchema,
  body: unknown,
  now: Date,
): Parsed<RunStart> {
  const parsed = parseBySchema(schema as z.ZodType<z.output<typeof startSchema> & { definition?: unknown }>, body);
  if (!parsed.ok) return parsed;
  const {
    input = null,
    labels = {},
    runAt,
    delay,
    deadline = null,
    priority,
    version = null,
    definition,
  } = parsed.value;
  const given = runAt ? parseTimestamp(runAt) : null;
  const fault = given && runAtFault(given, now);
  if (fault) return { ok: false, faults: [fault] };
  const at = given ?? (delay ? new Date(now.getTime() + (parseDurationMs(delay) ?? 0)) : null);
  return { ok: true, value: { input, labels, runAt: at, deadline, priority, version, definition } };
}

function runAtFault(runAt: Date, now: Date): FieldFault | null {
  const aheadMs = runAt.getTime() - now.getTime();
  if (aheadMs < -MINUTE_MS) return { pointer: '/runAt', detail: 'Must not be more than one minute ago.' };
  return aheadMs > YEAR_MS ? { pointer: '/runAt', detail: 'Must be at most one year ahead.' } : null;
}
