// What else schedules take: pause, backfill, and the queries of ticks and previews.
import { z } from 'zod';

import { buildCalendar } from '../../calendar/build-calendar.ts';
import type { Calendar } from '../../calendar/evaluator.ts';
import { parseDurationMs } from '../../contract/duration.ts';
import type { FieldFault } from '../../contract/problem.ts';
import { OVERLAPS, TICK_OUTCOMES } from '../../contract/schedule.ts';
import { parseTimestamp } from '../../contract/timestamp.ts';
import type { BackfillRequest } from '../../jobs/schedules/schedules.ts';
import { parseBySchema, type Parsed } from '../../jobs/spec/faults.ts';
import { printable, timestamp, TIMESTAMP_FAULT } from '../../jobs/spec/rules.ts';
import { type FilterRule, type ListQuery, parseListQuery } from './list-query.ts';
import { calendarFault } from './schedule.ts';

const MAX_PREVIEW = 1_000;
const DEFAULT_PREVIEW = 5;

export const pauseSchema = z.strictObject({ note: printable(0, 500).nullish() });

export const backfillSchema = z
  .strictObject({ from: timestamp(), to: timestamp(), overlap: z.enum(OVERLAPS).nullish() })
  .refine(({ from, to }) => msOf(from) < msOf(to), { error: 'Must be after `from`.', path: ['to'] });

export function parsePause(body: unknown): Parsed<{ note: string | null }> {
  const parsed = parseBySchema(pauseSchema, body);
  return parsed.ok ? { ok: true, value: { note: parsed.value.note ?? null } } : parsed;
}

export function parseBackfill(body: unknown): Parsed<BackfillRequest> {
  const parsed = parseBySchema(backfillSchema, body);
  if (!parsed.ok) return parsed;
  const { from, to, overlap = null } = parsed.value;
  return { ok: true, value: { fromMs: msOf(from), toMs: msOf(to), overlap } };
}

const time: FilterRule = { repeatable: false, check: (text) => (parseTimestamp(text) ? null : TIMESTAMP_FAULT) };
const TICK_QUERY = { from: time, to: time, outcome: { values: TICK_OUTCOMES } } satisfies Record<string, FilterRule>;

/** `from` and `to` are the times of this list; those of creation are not its own. */
export function parseTickQuery(query: URLSearchParams): Parsed<ListQuery> {
  const parsed = parseListQuery(query, { filters: TICK_QUERY, byCreation: false });
  if (!parsed.ok) return parsed;
  const { from, to, ...filters } = parsed.filters;
  const range = { createdAfter: parseTimestamp(from?.[0] ?? ''), createdBefore: parseTimestamp(to?.[0] ?? '') };
  return { ok: true, value: { limit: parsed.limit, cursor: parsed.cursor, ...range, filters } };
}

export interface PreviewRequest {
  calendar: Calendar;
  timezone: string;
  fromMs: number;
  count: number;
}

const previewSchema = z.strictObject({
  cron: z.string().optional(),
  every: z.string().optional(),
  timezone: z.string().max(64).optional(),
  count: z
    .string()
    .regex(/^(1000|[1-9]\d{0,2})$/, `Must be a whole number from 1 to ${MAX_PREVIEW}.`)
    .optional(),
  from: timestamp().optional(),
});

export function parsePreview(query: URLSearchParams, now: Date): Parsed<PreviewRequest> {
  const names = [...new Set(query.keys())];
  const repeated = names.filter((name) => query.getAll(name).length > 1);
  const parsed = parseBySchema(previewSchema, Object.fromEntries(query), '/query');
  const faults: FieldFault[] = [
    ...(parsed.ok ? [] : parsed.faults),
    ...repeated.map((name) => ({ pointer: `/query/${name}`, detail: 'May be given once.' })),
  ];
  if (!parsed.ok || faults.length > 0) return { ok: false, faults };
  const { cron = null, every, timezone = 'UTC', count, from } = parsed.value;
  const everyMs = every === undefined ? null : (parseDurationMs(every) ?? Number.NaN);
  const built = buildCalendar({ cron, everyMs, timezone });
  if (!built.ok) return { ok: false, faults: built.faults.map((fault) => calendarFault(fault, '/query')) };
  const fromMs = from === undefined ? now.getTime() : msOf(from);
  return { ok: true, value: { calendar: built.calendar, timezone, fromMs, count: Number(count ?? DEFAULT_PREVIEW) } };
}

function msOf(text: string): number {
  return parseTimestamp(text)?.getTime() ?? Number.NaN;
}
