// `perdure queues`: what waits for the workers, and starting nothing new from a queue.
import type { Queue } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { listOptions, readList } from '../listing.ts';
import type { Column } from '../output.ts';

export const queueColumns: Column<Queue>[] = [
  { title: 'QUEUE', value: (queue) => queue.name },
  { title: 'STATE', value: (queue) => (queue.paused ? 'paused' : 'running') },
  { title: 'BACKLOG', value: (queue) => queue.backlog },
  { title: 'OLDEST S', value: (queue) => queue.oldestAgeSeconds },
  { title: 'WORKERS', value: (queue) => queue.workers },
];

const list = defineCommand({
  name: 'queues',
  summary: 'List queues and what waits in them',
  options: listOptions,
  async action({ values, out, client }) {
    const queues = await readList(values.limit, (limit) => client.queues.list({ limit }));
    out.table(queues, queueColumns, 'No queues.');
  },
});

function changing(verb: 'pause' | 'resume', summary: string) {
  return defineCommand({
    name: `queues ${verb}`,
    args: '<name>',
    summary,
    async action({ args: [name = ''], out, client }) {
      const queue = await client.queues[verb](name);
      out.item(queue, ({ name: title, paused }) => ({ name: title, paused }));
      if (!out.json) out.note('Its workers follow within seconds. See: perdure workers');
    },
  });
}

export const queues = [
  list,
  changing('pause', 'Start nothing new from a queue; jobs are still accepted'),
  changing('resume', 'Start from it again'),
];
