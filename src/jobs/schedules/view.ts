// How a schedule and a tick look in answers.
import { nextAfter } from '../../calendar/evaluator.ts';
import { nominalText } from '../../calendar/format.ts';
import { currentMs } from '../../clock.ts';
import type { JobSpec } from '../../contract/job.ts';
import { temporalScheduleId } from '../../contract/schedule.ts';
import type { ScheduleRow } from '../../db/schedules.ts';
import type { TickRow } from '../../db/ticks.ts';
import type { Redaction } from '../secrets/redaction.ts';
import { callView, redactNotify, type ViewOptions } from '../view.ts';
import { calendarOf } from './timing.ts';

const NEXT_TIMES = 5;

export function scheduleView(row: ScheduleRow, { temporalUiUrl, namespace, redaction }: ViewOptions) {
  const { id, spec, paused, note, ran, skipped, missed, failed, consecutiveFailures } = row;
  const self = `/v1/schedules/${encodeURIComponent(id)}`;
  return {
    id,
    cron: spec.cron,
    every: spec.every,
    at: spec.at,
    timezone: spec.timezone,
    job: spec.job && jobView(spec.job, redaction),
    workflow: spec.workflow && { ...spec.workflow, input: redaction.fields(spec.workflow.input) },
    overlap: spec.overlap,
    catchupWindow: spec.catchupWindow,
    jitter: spec.jitter,
    startAt: spec.startAt,
    endAt: spec.endAt,
    paused,
    note,
    pauseAfterFailures: spec.pauseAfterFailures,
    nextFireTimes: nextFireTimes(row),
    lastFire: row.lastFire,
    counts: { ran, skipped, missed, failed, consecutiveFailures },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    links: {
      self,
      ticks: `${self}/ticks`,
      temporal:
        temporalUiUrl &&
        `${temporalUiUrl}/namespaces/${encodeURIComponent(namespace)}/schedules/${encodeURIComponent(temporalScheduleId(row))}`,
    },
  };
}

export function tickView({ nominalTime, outcome, jobId, runId, startedAt, latenessMs, reason }: TickRow) {
  return {
    nominalTime: nominalText(nominalTime.getTime()),
    outcome,
    jobId,
    runId,
    startedAt: startedAt?.toISOString() ?? null,
    latenessMs,
    reason,
  };
}

function nextFireTimes({ spec }: ScheduleRow): string[] {
  const calendar = calendarOf(spec);
  const times: string[] = [];
  let time = nextAfter(calendar, currentMs());
  while (time !== null && times.length < NEXT_TIMES) {
    times.push(nominalText(time));
    time = nextAfter(calendar, time);
  }
  return times;
}

/** A schedule has its own times, so its job has none. */
function jobView({ runAt: _runAt, delay: _delay, ...spec }: JobSpec, redaction: Redaction) {
  return {
    ...spec,
    http: callView(spec.http, redaction),
    notify: spec.notify.map(redactNotify),
  };
}
