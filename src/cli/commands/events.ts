// `perdure events`: what happens, as it happens.
import { defineCommand } from '../command.ts';
import { labelFilters, parseCount } from '../input.ts';
import { printable, shortTime } from '../output.ts';

export const events = defineCommand({
  name: 'events',
  summary: 'Follow events until Ctrl-C; with --json one a line',
  options: {
    type: { type: 'string', multiple: true, value: 'TYPE', about: 'such as job.failed; may be repeated' },
    job: { type: 'string', value: 'ID', about: 'of this job' },
    run: { type: 'string', value: 'ID', about: 'of this run' },
    name: { type: 'string', multiple: true, value: 'NAME', about: 'of things with this name; may be repeated' },
    label: { type: 'string', multiple: true, value: 'NAME:VALUE', about: 'of things with this label; may be repeated' },
    since: { type: 'string', value: 'EVENT', about: 'go on after this event id' },
    count: { type: 'string', value: 'N', about: 'end after so many' },
  },
  examples: ['perdure events --type job.failed --json | jq .data.id'],
  async action({ values, out, client }) {
    const { type, job: jobId, run: runId, name } = values;
    const filter = { type, jobId, runId, name, label: labelFilters(values.label) };
    let left = parseCount(values.count, '--count') ?? Infinity;
    for await (const event of client.events(filter, { lastEventId: values.since })) {
      const { id, name: called } = event.data;
      const text = `${shortTime(event.timestamp)}  ${event.type}  ${id}  ${called ?? ''}`;
      out.line(out.json ? JSON.stringify(event) : out.paint(printable(text).trimEnd(), event.type.split('.')[1]));
      if (--left === 0) return;
    }
  },
});
