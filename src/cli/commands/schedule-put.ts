// `perdure schedule put`: creates or replaces a schedule, from flags or a file.
import type { Overlap, ScheduleInput } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../exit.ts';
import { httpOptions, readHttpFlags } from '../http-flags.ts';
import { parseCount, parseJson, readJsonFile, readValue } from '../input.ts';
import { scheduleFields } from './schedule.ts';

export const schedulePut = defineCommand({
  name: 'schedule put',
  args: '<id> [target]',
  summary: 'Create or replace a schedule that calls a target URL or runs a workflow',
  options: {
    cron: { type: 'string', value: 'CRON', about: '5 fields, or 6 with seconds first' },
    every: { type: 'string', value: '15m', about: 'instead of cron: so often' },
    at: { type: 'string', value: 'TIME', about: 'instead of cron: once' },
    timezone: { type: 'string', value: 'ZONE', about: 'such as Europe/Paris' },
    overlap: { type: 'string', value: 'POLICY', about: 'what to do when the one before still runs (skip)' },
    note: { type: 'string', value: 'TEXT', about: 'for other people' },
    paused: { type: 'boolean', about: 'do not fire yet' },
    'pause-after-failures': { type: 'string', value: 'N', about: 'pause after so many failures in a row' },
    workflow: { type: 'string', value: 'NAME', about: 'instead of a target: run this workflow' },
    input: { type: 'string', value: 'JSON', about: 'the input of the workflow; @file reads it from a file' },
    ...httpOptions,
    file: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      about: 'a schedule as JSON (- for standard input); flags lie over it',
    },
  },
  examples: [
    `perdure schedule put nightly https://api.example.com/report --cron '0 3 * * *' --timezone Europe/Paris`,
    `perdure schedule put billing --every 15m --workflow billing --input '{"dry":true}'`,
  ],
  async action({ values, args: [id = '', target], io, out, client }) {
    const base = values.file === undefined ? {} : await readJsonFile<Partial<ScheduleInput>>(values.file, io);
    const http = await readHttpFlags(target, values, io);
    if (values.workflow !== undefined && target !== undefined) {
      throw new UsageError('Give a target or --workflow, not both');
    }
    const input = values.input === undefined ? undefined : parseJson(await readValue(values.input, io), '--input');
    const fields = {
      cron: values.cron,
      every: values.every,
      at: values.at,
      timezone: values.timezone,
      overlap: values.overlap as Overlap | undefined,
      note: values.note,
      paused: values.paused,
      pauseAfterFailures: parseCount(values['pause-after-failures'], '--pause-after-failures'),
      workflow:
        values.workflow === undefined ? undefined : { name: values.workflow, ...(input !== undefined && { input }) },
      job: Object.keys(http).length === 0 ? undefined : { ...base.job, http: { ...base.job?.http, ...http } },
    };
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const spec: object = { ...base, ...given };
    if (!('job' in spec) && !('workflow' in spec)) {
      throw new UsageError('Say what to run: a target URL, --workflow or --file');
    }
    // The service checks the fields; from a file anything may come.
    out.item(await client.schedules.put(id, spec as ScheduleInput), scheduleFields);
  },
});
