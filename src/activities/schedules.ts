// What Temporal's schedules fired, judged by our own calendar before anything is called.
import { log } from '@temporalio/activity';

import { type ScheduleName, TICK_PREFIX } from '../contract/schedule.ts';
import type { AdoptedTick } from '../contract/temporal.ts';
import type { Fire } from '../jobs/schedules/fire.ts';
import { nominalMsOf } from '../jobs/schedules/timing.ts';
import { planOf } from '../jobs/start.ts';

export interface ScheduleActivityDeps {
  fire: Fire;
}

export function createScheduleActivities({ fire }: ScheduleActivityDeps) {
  return {
    async adoptTick({ jobId, schedule }: { jobId: string; schedule: ScheduleName }): Promise<AdoptedTick> {
      const nominalMs = nominalMsOf(schedule, jobId);
      if (nominalMs === null) return notOurs(jobId);
      const isMessenger = jobId.startsWith(TICK_PREFIX);
      const fired = await fire(schedule, nominalMs, isMessenger ? 'messenger' : 'ownWorkflow');
      if (fired.kind === 'waits') return { kind: 'none', outcome: 'waits' };
      if (fired.kind === 'none' && fired.outcome === 'notOurs') return notOurs(jobId);
      // What runs has a workflow of its own.
      if (fired.kind !== 'job' || isMessenger) return { kind: 'none', outcome: fired.outcome };
      return fired.job.status === 'blocked' ? { kind: 'wait' } : { kind: 'plan', plan: planOf(fired.job) };
    },
  };
}

/** Temporal's calendars are wrong on some nights when the clocks change; a schedule may also have been replaced. */
function notOurs(jobId: string): AdoptedTick {
  log.warn('Temporal fired what is no time of its schedule; nothing is called', { jobId });
  return { kind: 'none', outcome: 'notOurs' };
}
