// `perdure workflow`: definitions, and starting a run of one.
import { isFinal, type RunFields, type Workflow, type WorkflowDefinition } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { parseJson, parseLabels, readJsonFile, readValue, waitFlags } from '../input.ts';
import { listOptions, readList } from '../listing.ts';
import { type Column, shortTime } from '../output.ts';
import { reportOutcome, showThing } from '../things.ts';

const columns: Column<Workflow>[] = [
  { title: 'NAME', value: (workflow) => workflow.name },
  { title: 'VERSION', value: (workflow) => workflow.version },
  { title: 'CREATED', value: (workflow) => shortTime(workflow.createdAt) },
  { title: 'DESCRIPTION', value: (workflow) => workflow.description },
];

const put = defineCommand({
  name: 'workflow put',
  args: '<name> <file>',
  summary: 'Store a definition from a JSON file (- for standard input); other content makes a new version',
  async action({ args: [name = '', file = ''], io, out, client }) {
    const stored = await client.workflows.put(name, await readJsonFile<WorkflowDefinition>(file, io));
    out.item(stored, ({ name, version }) => ({ name, version }));
    if (!out.json) out.note(`Run it: perdure workflow run ${name}`);
  },
});

const validate = defineCommand({
  name: 'workflow validate',
  args: '<file>',
  summary: 'Check a definition; names every fault at once',
  async action({ args: [file = ''], io, out, client }) {
    const answer = await client.workflows.validate(await readJsonFile<WorkflowDefinition>(file, io));
    out.item(answer, ({ valid }) => ({ valid }));
  },
});

const graph = defineCommand({
  name: 'workflow graph',
  args: '<name>',
  summary: 'Print the steps as a Mermaid graph',
  async action({ args: [name = ''], out, client }) {
    const mermaid = await client.workflows.graph(name);
    out.line(out.json ? JSON.stringify({ mermaid }) : mermaid.trimEnd());
  },
});

const list = defineCommand({
  name: 'workflow list',
  summary: 'List definitions',
  options: listOptions,
  async action({ values, out, client }) {
    const workflows = await readList(values.limit, (limit) => client.workflows.list({ limit }));
    out.table(workflows, columns, 'No workflows. Store one: perdure workflow put <name> <file>');
  },
});

const run = defineCommand({
  name: 'workflow run',
  args: '<name>',
  summary: 'Start a run',
  options: {
    input: { type: 'string', value: 'JSON', about: 'its input; @file reads it from a file' },
    label: { type: 'string', multiple: true, value: 'NAME:VALUE', about: 'a label; may be repeated' },
    key: { type: 'string', value: 'KEY', about: 'Idempotency-Key: starting again with it makes no second run' },
    delay: { type: 'string', value: '5s', about: 'start after this time' },
    wait: { type: 'boolean', about: 'wait until it is final; exit 1 if it did not succeed' },
    limit: { type: 'string', value: '5m', about: 'wait at most so long' },
  },
  examples: [`perdure workflow run order --input '{"orderId":"42"}' --wait`],
  async action({ values, args: [name = ''], io, out, client }) {
    const input = values.input === undefined ? undefined : parseJson(await readValue(values.input, io), '--input');
    const fields: RunFields = { input, labels: parseLabels(values.label), delay: values.delay };
    const wait = waitFlags(values);
    const started = await client.workflows.run(name, fields, { idempotencyKey: values.key, ...wait });
    if (wait.wait) return reportOutcome(started, out, isFinal(started));
    showThing(started, out);
    if (!out.json) out.note(`Wait for it: perdure wait ${started.id}`);
  },
});

export const workflow = [put, validate, graph, list, run];
