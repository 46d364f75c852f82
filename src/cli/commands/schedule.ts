// `perdure schedule`: looking at schedules, and everything but writing one.
import type { Overlap, Perdure, PreviewInput, Schedule, Tick } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../exit.ts';
import { parseCount } from '../input.ts';
import { listOptions, readList } from '../listing.ts';
import { type Column, shortTime } from '../output.ts';
import { showThing } from '../things.ts';

export function scheduleFields(schedule: Schedule): Record<string, unknown> {
  return {
    id: schedule.id,
    when: when(schedule),
    timezone: schedule.timezone,
    runs: target(schedule),
    overlap: schedule.overlap,
    paused: schedule.paused,
    note: schedule.note || null,
    next: schedule.nextFireTimes.map(shortTime).join(', ') || 'never',
    counts: schedule.counts,
  };
}

const columns: Column<Schedule>[] = [
  { title: 'ID', value: (schedule) => schedule.id },
  { title: 'WHEN', value: when },
  { title: 'ZONE', value: (schedule) => schedule.timezone },
  { title: 'NEXT', value: (schedule) => (schedule.paused ? 'paused' : shortTime(schedule.nextFireTimes[0] ?? null)) },
  { title: 'RUNS', value: target },
];

const tickColumns: Column<Tick>[] = [
  { title: 'NOMINAL TIME', value: (tick) => shortTime(tick.nominalTime) },
  { title: 'OUTCOME', value: (tick) => tick.outcome },
  { title: 'LATE MS', value: (tick) => tick.latenessMs },
  { title: 'JOB OR RUN', value: (tick) => tick.jobId ?? tick.runId },
  { title: 'REASON', value: (tick) => tick.reason },
];

function when(schedule: Schedule): string {
  return schedule.cron ?? (schedule.every === null ? `at ${schedule.at}` : `every ${schedule.every}`);
}

function target({ job, workflow }: Schedule): string | null {
  return job ? job.http.url : workflow && `workflow ${workflow.name}`;
}

const list = defineCommand({
  name: 'schedule list',
  summary: 'List schedules and when they fire next',
  options: listOptions,
  async action({ values, out, client }) {
    const schedules = await readList(values.limit, (limit) => client.schedules.list({ limit }));
    out.table(schedules, columns, 'No schedules. Make one: perdure schedule put --help');
  },
});

const range = {
  from: { type: 'string', value: 'TIME', about: 'from this time on (inclusive)' },
  to: { type: 'string', value: 'TIME', about: 'up to this time (exclusive)' },
} as const;

const ticks = defineCommand({
  name: 'schedule ticks',
  args: '<id>',
  summary: 'List what became of each time it should fire',
  options: { ...listOptions, ...range },
  async action({ values, args: [id = ''], out, client }) {
    const { from, to } = values;
    const rows = await readList(values.limit, (limit) => client.schedules.ticks(id, { from, to, limit }));
    out.table(rows, tickColumns, 'It has not fired yet.');
  },
});

const preview = defineCommand({
  name: 'schedule preview',
  summary: 'Show when a schedule would fire',
  options: {
    cron: { type: 'string', value: 'CRON', about: '5 fields, or 6 with seconds first' },
    every: { type: 'string', value: '15m', about: 'instead of cron: so often' },
    timezone: { type: 'string', value: 'ZONE', about: 'such as Europe/Paris' },
    count: { type: 'string', value: 'N', about: 'how many times' },
    from: range.from,
  },
  async action({ values, out, client }) {
    const { cron, every, timezone, from } = values;
    if ((cron === undefined) === (every === undefined)) throw new UsageError('Give one of --cron and --every');
    const asked = { cron, every, timezone, from, count: parseCount(values.count, '--count') } as PreviewInput;
    const answer = await client.schedules.preview(asked);
    if (out.json) return out.item(answer, () => ({}));
    for (const time of answer.fireTimes) out.line(time);
  },
});

function changing(verb: string, summary: string, change: (client: Perdure, id: string) => Promise<Schedule>) {
  return defineCommand({
    name: `schedule ${verb}`,
    args: '<id>',
    summary,
    async action({ args: [id = ''], out, client }) {
      out.item(await change(client, id), scheduleFields);
    },
  });
}

const pause = defineCommand({
  name: 'schedule pause',
  args: '<id>',
  summary: 'Stop firing; each time becomes a row that says so',
  options: { note: { type: 'string', value: 'TEXT', about: 'why' } },
  async action({ values, args: [id = ''], out, client }) {
    out.item(await client.schedules.pause(id, { note: values.note }), scheduleFields);
  },
});

const trigger = defineCommand({
  name: 'schedule trigger',
  args: '<id>',
  summary: 'Fire once, now',
  options: { key: { type: 'string', value: 'KEY', about: 'Idempotency-Key: with it, again makes no second run' } },
  async action({ values, args: [id = ''], out, client }) {
    showThing(await client.schedules.trigger(id, { idempotencyKey: values.key }), out);
  },
});

const backfill = defineCommand({
  name: 'schedule backfill',
  args: '<id>',
  summary: 'Run the times of a range that have not run',
  options: { ...range, overlap: { type: 'string', value: 'POLICY', about: 'instead of the policy of the schedule' } },
  async action({ values, args: [id = ''], out, client }) {
    const { from, to } = values;
    if (from === undefined || to === undefined) throw new UsageError('--from and --to are needed');
    const answer = await client.schedules.backfill(id, { from, to, overlap: values.overlap as Overlap | undefined });
    out.item(answer, ({ accepted }) => ({ accepted }));
    if (!out.json) out.note(`See what became of them: perdure schedule ticks ${id}`);
  },
});

const remove = defineCommand({
  name: 'schedule delete',
  args: '<id>',
  summary: 'Delete a schedule; what it has made stays',
  async action({ args: [id = ''], out, client }) {
    await client.schedules.delete(id);
    out.item({ id, deleted: true }, (one) => one);
  },
});

export const schedule = [
  list,
  changing('show', 'Show a schedule', (client, id) => client.schedules.get(id)),
  ticks,
  preview,
  pause,
  changing('resume', 'Fire again', (client, id) => client.schedules.resume(id)),
  trigger,
  backfill,
  remove,
];
