// `perdure dlq`: dead letters, and driving them again.
import type { BulkOperation, DeadLetter, DeadLetterSelection, Perdure } from '../../client/index.ts';
import { sleep } from '../../client/sleep.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../exit.ts';
import { parseCount, parseJson, readValue } from '../input.ts';
import { listOptions, readList } from '../listing.ts';
import { type Column, shortTime } from '../output.ts';
import { createProgress, type Progress } from '../progress.ts';
import { showThing } from '../things.ts';

const columns: Column<DeadLetter>[] = [
  { title: 'ID', value: (letter) => letter.id },
  { title: 'REASON', value: (letter) => letter.reason },
  { title: 'TRIES', value: (letter) => letter.attempts },
  { title: 'CREATED', value: (letter) => shortTime(letter.createdAt) },
  { title: 'NAME', value: (letter) => letter.name },
  { title: 'TARGET', value: (letter) => letter.target },
  { title: 'REDRIVEN AS', value: (letter) => letter.redrivenAs },
];

const filterOptions = {
  reason: { type: 'string', multiple: true, value: 'REASON', about: 'such as attemptsExhausted; may be repeated' },
  name: { type: 'string', multiple: true, value: 'NAME', about: 'of jobs with this name; may be repeated' },
  host: { type: 'string', multiple: true, value: 'HOST', about: 'of calls to this host; may be repeated' },
} as const;

const list = defineCommand({
  name: 'dlq list',
  summary: 'List dead letters: what gave up, and why',
  options: {
    ...listOptions,
    ...filterOptions,
    all: { type: 'boolean', about: 'also those that were driven again' },
  },
  async action({ values, out, client }) {
    const { reason, name, host } = values;
    const redriven = values.all ? undefined : false;
    const open = (limit: number) => client.deadLetters.list({ reason, name, host, redriven, limit });
    out.table(await readList(values.limit, open), columns, 'No dead letters.');
  },
});

const show = defineCommand({
  name: 'dlq show',
  args: '<id>',
  summary: 'Show a dead letter',
  async action({ args: [id = ''], out, client }) {
    const letter = await client.deadLetters.get(id);
    out.item(letter, (one) => ({ ...one }));
    if (!out.json && letter.redrivenAs === null) out.note(`Drive it again: perdure dlq redrive ${letter.id}`);
  },
});

const redrive = defineCommand({
  name: 'dlq redrive',
  args: '[id]',
  summary: 'Drive one dead letter again, or all that match a filter',
  options: {
    ...filterOptions,
    all: { type: 'boolean', about: 'all that were not driven again yet' },
    patch: { type: 'string', value: 'JSON', about: 'a merge patch on the job; @file reads it from a file' },
    'new-key': { type: 'boolean', about: 'give the target a new Idempotency-Key: the effect may happen again' },
    'from-step': { type: 'string', value: 'STEP', about: 'of a run: begin with this step' },
    'max-per-second': { type: 'string', value: 'N', about: 'with a filter: not faster than this' },
  },
  examples: [
    'perdure dlq redrive dl_0198… --patch \'{"http":{"timeout":"30s"}}\'',
    'perdure dlq redrive --host api.example.com --max-per-second 20',
  ],
  async action({ values, args: [id], io, out, client }) {
    const { reason, name, host } = values;
    const patchText = values.patch === undefined ? undefined : await readValue(values.patch, io);
    const patch = patchText === undefined ? undefined : (parseJson(patchText, '--patch') as Record<string, unknown>);
    const filtered = Boolean(values.all || reason || name || host);
    if (filtered === (id !== undefined)) throw new UsageError('Give the id of one, or a filter, or --all');
    if (id !== undefined) {
      const redrive = { patch, newKey: values['new-key'], fromStep: values['from-step'] };
      return showThing(await client.deadLetters.redrive(id, redrive), out);
    }
    if (values['new-key'] || values['from-step']) throw new UsageError('--new-key and --from-step are for one id');
    const maxPerSecond = parseCount(values['max-per-second'], '--max-per-second');
    // What was driven again before is skipped by the service. A filter must not be empty: all are jobs or runs.
    const filter: DeadLetterSelection = values.all
      ? { reason, name, host, kind: ['job', 'run'] }
      : { reason, name, host };
    const begun = await client.deadLetters.redriveMany({ filter, patch, maxPerSecond });
    const ended = await follow(client, begun, createProgress(io));
    out.item(ended, ({ id, status, counts }) => ({ id, status, ...counts }));
    return ended.status === 'finished' && ended.counts.failed === 0 ? EXIT.done : EXIT.notSucceeded;
  },
});

async function follow(client: Perdure, operation: BulkOperation, progress: Progress): Promise<BulkOperation> {
  let now = operation;
  while (now.status === 'running') {
    const { done, skipped, failed, total } = now.counts;
    progress.show(done + skipped + failed, total, `${done} driven again, ${skipped} skipped, ${failed} failed`);
    await sleep(500);
    now = await client.deadLetters.operation(now.id);
  }
  progress.end();
  return now;
}

export const dlq = [list, show, redrive];
