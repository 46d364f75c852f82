// From a job as sent to a job spec: every fault named at once, or everything checked and the defaults filled in.

import type { JobSpec } from '../../contract/job.ts';
import type { FieldFault } from '../../contract/problem.ts';
import { parseTimestamp } from '../../contract/timestamp.ts';
import type { EgressPolicy } from '../http/egress.ts';
import { onePerPointer, parseBySchema } from './faults.ts';
import { jobInputSchema, untimedJobInputSchema } from './job-schema.ts';
import { isMembers, MINUTE_MS, YEAR_MS } from './rules.ts';
import { headerFaults, targetFaults } from './target-rules.ts';
import { withDefaults } from './with-defaults.ts';

export interface ParseJobOptions {
  policy: EgressPolicy;
  now: Date;
  /** Where the job is in what was sent, such as `/items/3`. */
  basePointer?: string;
  /** A schedule's job has no `runAt` and no `delay`. */
  allowTiming?: boolean;
}

export type SpecFaultCode = 'validationFailed' | 'targetNotAllowed';

export type ParsedJobSpec = { ok: true; spec: JobSpec } | { ok: false; code: SpecFaultCode; faults: FieldFault[] };

/** The schema's rules, and those that need the clock or the network policy: these look at the input as it was sent. */
export function parseJobSpec(input: unknown, options: ParseJobOptions): ParsedJobSpec {
  const { policy, now, basePointer = '', allowTiming = true } = options;
  const parsed = parseBySchema(allowTiming ? jobInputSchema : untimedJobInputSchema, input, basePointer);
  const targets = targetFaults(input, policy, basePointer);
  const faults = onePerPointer([
    ...(parsed.ok ? [] : parsed.faults),
    ...headerFaults(input, basePointer),
    ...(allowTiming ? runAtFaults(input, now, basePointer) : []),
    ...targets.faults,
  ]);
  if (parsed.ok && faults.length === 0) return { ok: true, spec: withDefaults(parsed.value) };
  return { ok: false, code: targets.notAllowed ? 'targetNotAllowed' : 'validationFailed', faults };
}

function runAtFaults(input: unknown, now: Date, basePointer: string): FieldFault[] {
  const runAt = isMembers(input) && typeof input.runAt === 'string' ? parseTimestamp(input.runAt) : null;
  if (!runAt) return [];
  const aheadMs = runAt.getTime() - now.getTime();
  const pointer = `${basePointer}/runAt`;
  // A minute of grace for clocks that differ: such a job runs at once.
  if (aheadMs < -MINUTE_MS) return [{ pointer, detail: 'Must not be more than one minute ago.' }];
  return aheadMs > YEAR_MS ? [{ pointer, detail: 'Must be at most one year ahead.' }] : [];
}
