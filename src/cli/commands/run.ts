// `perdure run`: runs of workflows.
import type { Run, RunStatus } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { parseCount, parseJson, readValue } from '../input.ts';
import { listOptions, readList } from '../listing.ts';
import { type Column, shortTime } from '../output.ts';
import { showThing } from '../things.ts';

const columns: Column<Run>[] = [
  { title: 'ID', value: (run) => run.id },
  { title: 'STATUS', value: (run) => run.status },
  { title: 'WORKFLOW', value: (run) => run.workflow },
  { title: 'VERSION', value: (run) => run.version },
  { title: 'CREATED', value: (run) => shortTime(run.createdAt) },
];

const list = defineCommand({
  name: 'run list',
  summary: 'List runs, newest first',
  options: {
    ...listOptions,
    workflow: { type: 'string', multiple: true, value: 'NAME', about: 'of this workflow; may be repeated' },
    status: { type: 'string', multiple: true, value: 'STATUS', about: 'such as failed; may be repeated' },
  },
  async action({ values, out, client }) {
    const { workflow } = values;
    const status = values.status as RunStatus[] | undefined;
    const runs = await readList(values.limit, (limit) => client.runs.list({ workflow, status, limit }));
    out.table(runs, columns, 'No runs. Start one: perdure workflow run <name>');
  },
});

const show = defineCommand({
  name: 'run show',
  args: '<id>',
  summary: 'Show a run, step by step',
  async action({ args: [id = ''], out, client }) {
    showThing(await client.runs.get(id), out);
  },
});

const signal = defineCommand({
  name: 'run signal',
  args: '<id> <signal> [payload]',
  summary: 'Send a signal with a JSON payload (@file reads it from a file)',
  examples: [`perdure run signal run_0198… approval '{"approved":true}'`],
  async action({ args: [id = '', name = '', payload], io, out, client }) {
    const value = payload === undefined ? undefined : parseJson(await readValue(payload, io), 'The payload');
    await client.runs.signal(id, name, value);
    out.item({ id, signal: name, sent: true }, (one) => one);
  },
});

const redrive = defineCommand({
  name: 'run redrive',
  args: '<id>',
  summary: 'Run again, keeping what has succeeded',
  options: {
    'from-step': { type: 'string', value: 'STEP', about: 'begin with this step' },
    version: { type: 'string', value: 'N', about: 'by this version of the workflow' },
    patch: { type: 'string', value: 'JSON', about: 'a merge patch on {input, definition}; @file reads it from a file' },
  },
  async action({ values, args: [id = ''], io, out, client }) {
    const patch = values.patch === undefined ? undefined : parseJson(await readValue(values.patch, io), '--patch');
    const fields = { fromStep: values['from-step'], version: parseCount(values.version, '--version') };
    showThing(await client.runs.redrive(id, { ...fields, ...(patch ? { patch } : {}) }), out);
  },
});

export const run = [list, show, signal, redrive];
