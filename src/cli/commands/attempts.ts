// `perdure attempts`: what happened each time a job or run was tried.
import type { Attempt } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { listOptions, readList } from '../listing.ts';
import { type Column, shortTime } from '../output.ts';

const columns: Column<Attempt>[] = [
  { title: '#', value: (attempt) => attempt.number },
  { title: 'OUTCOME', value: (attempt) => attempt.outcome },
  { title: 'HTTP', value: (attempt) => attempt.httpStatus },
  { title: 'STARTED', value: (attempt) => shortTime(attempt.startedAt) },
  { title: 'MS', value: (attempt) => attempt.durationMs },
  { title: 'WORKER', value: (attempt) => attempt.worker },
  { title: 'ERROR', value: ({ error }) => error && [error.code, error.detail ?? error.title].join(': ') },
];

export const attempts = defineCommand({
  name: 'attempts',
  args: '<id>',
  summary: 'List the attempts of a job or run',
  options: listOptions,
  async action({ values, args: [id = ''], out, client }) {
    const resource = id.startsWith('run_') ? client.runs : client.jobs;
    out.table(await readList(values.limit, () => resource.attempts(id)), columns, 'Not tried yet.');
  },
});
