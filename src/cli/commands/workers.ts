// `perdure workers`: who does the work, and taking them out of service.
import type { Perdure, Worker, WorkerState } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { listOptions, readList } from '../listing.ts';
import { type Column, shortTime } from '../output.ts';

export const workerColumns: Column<Worker>[] = [
  { title: 'ID', value: (worker) => worker.id },
  { title: 'STATE', value: (worker) => worker.state },
  { title: 'HOST', value: (worker) => worker.host },
  { title: 'ROLES', value: (worker) => worker.roles.join(',') },
  { title: 'BUSY', value: ({ slots: { activities, workflows } }) => activities.used + workflows.used },
  { title: 'DONE', value: (worker) => worker.counts.done },
  { title: 'FAILED', value: (worker) => worker.counts.failed },
  { title: 'LAST SEEN', value: (worker) => shortTime(worker.lastHeartbeat) },
];

const list = defineCommand({
  name: 'workers',
  summary: 'List workers',
  options: {
    ...listOptions,
    state: { type: 'string', multiple: true, value: 'STATE', about: 'such as drained; may be repeated' },
  },
  async action({ values, out, client }) {
    const state = values.state as WorkerState[] | undefined;
    const workers = await readList(values.limit, (limit) => client.workers.list({ state, limit }));
    out.table(workers, workerColumns, 'No workers: jobs are accepted but do not run.');
  },
});

function changing(verb: 'pause' | 'resume' | 'drain', summary: string) {
  const change = (client: Perdure, id: string) => client.workers[verb](id);
  return defineCommand({
    name: `workers ${verb}`,
    args: '<id>',
    summary,
    async action({ args: [id = ''], out, client }) {
      await change(client, id);
      out.item({ id, asked: verb }, (one) => one);
      if (!out.json) out.note('It follows within seconds. See: perdure workers');
    },
  });
}

export const workers = [
  list,
  changing('pause', 'Let a worker take no new work'),
  changing('resume', 'Let it take work again'),
  changing('drain', 'Let it end its calls and stop'),
];
