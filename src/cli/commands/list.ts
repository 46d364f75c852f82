// `perdure list`: jobs by status, name, label, host, schedule or batch.
import type { Job, JobStatus } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { labelFilters } from '../input.ts';
import { listOptions, readList } from '../listing.ts';
import { type Column, shortTime } from '../output.ts';

export const jobColumns: Column<Job>[] = [
  { title: 'ID', value: (job) => job.id },
  { title: 'STATUS', value: (job) => job.status },
  { title: 'TRIES', value: (job) => job.attempts },
  { title: 'CREATED', value: (job) => shortTime(job.createdAt) },
  { title: 'NAME', value: (job) => job.name },
  { title: 'CALL', value: (job) => `${job.http.method} ${job.http.url}` },
];

export const list = defineCommand({
  name: 'list',
  summary: 'List jobs, newest first',
  options: {
    ...listOptions,
    status: { type: 'string', multiple: true, value: 'STATUS', about: 'such as failed; may be repeated' },
    name: { type: 'string', multiple: true, value: 'NAME', about: 'with this name; may be repeated' },
    label: { type: 'string', multiple: true, value: 'NAME:VALUE', about: 'with this label; may be repeated' },
    host: { type: 'string', multiple: true, value: 'HOST', about: 'that call this host; may be repeated' },
    schedule: { type: 'string', value: 'ID', about: 'of this schedule' },
    batch: { type: 'string', value: 'ID', about: 'of this batch' },
    after: { type: 'string', value: 'TIME', about: 'created at this time or later' },
    before: { type: 'string', value: 'TIME', about: 'created before this time' },
  },
  examples: ['perdure list --status failed --status unknown --limit 10'],
  async action({ values, out, client }) {
    const filter = {
      status: values.status as JobStatus[] | undefined,
      name: values.name,
      label: labelFilters(values.label),
      host: values.host,
      scheduleId: values.schedule,
      batchId: values.batch,
      createdAfter: values.after,
      createdBefore: values.before,
    };
    const jobs = await readList(values.limit, (limit) => client.jobs.list({ ...filter, limit }));
    out.table(jobs, jobColumns, 'No jobs. Submit one: perdure submit <url>');
  },
});
