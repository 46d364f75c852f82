// Schedules: what fires when, and what became of each time.
import { createList } from '../list.ts';
import type { Transport } from '../transport.ts';
import type {
  BackfillInput,
  CallOptions,
  CreateOptions,
  Job,
  PreviewInput,
  Run,
  Schedule,
  ScheduleFilter,
  ScheduleInput,
  Tick,
  TickFilter,
} from '../types.ts';

const PATH = '/v1/schedules';

export function createSchedules(transport: Transport) {
  const pathOf = (id: string, action = '') => `${PATH}/${encodeURIComponent(id)}${action}`;
  const change = (id: string, action: string, body: unknown, options?: CallOptions) =>
    transport.json<Schedule>({ method: 'POST', path: pathOf(id, action), body, repeatable: true }, options);
  return {
    /** Creates it, or replaces it as a whole. */
    put: (id: string, schedule: ScheduleInput, options?: CallOptions) =>
      transport.json<Schedule>({ method: 'PUT', path: pathOf(id), body: schedule }, options),
    get: (id: string, options?: CallOptions) => transport.json<Schedule>({ method: 'GET', path: pathOf(id) }, options),
    list: (filter?: ScheduleFilter, options?: CallOptions) => createList<Schedule>(transport, PATH, filter, options),
    delete: (id: string, options?: CallOptions) =>
      transport.json<void>({ method: 'DELETE', path: pathOf(id) }, options),
    pause: (id: string, pause: { note?: string } = {}, options?: CallOptions) => change(id, '/pause', pause, options),
    resume: (id: string, options?: CallOptions) => change(id, '/resume', undefined, options),
    /** A run of its own, now; answers the job, or the run of a workflow. */
    trigger: (id: string, options?: CreateOptions) =>
      transport.create<Job | Run>({ path: pathOf(id, '/trigger') }, options),
    backfill: (id: string, range: BackfillInput, options?: CreateOptions) =>
      transport.create<{ accepted: number }>({ path: pathOf(id, '/backfill'), body: range }, options),
    ticks: (id: string, filter?: TickFilter, options?: CallOptions) =>
      createList<Tick>(transport, pathOf(id, '/ticks'), filter, options),
    preview: (preview: PreviewInput, options?: CallOptions) =>
      transport.json<{ fireTimes: string[] }>({ method: 'GET', path: `${PATH}/preview`, query: preview }, options),
  };
}
