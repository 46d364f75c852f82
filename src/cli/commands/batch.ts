// `perdure batch`: many jobs from one file, with a progress bar.
import { type Batch, type BatchItem, type BatchOfItems, isFinal, type Perdure } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../exit.ts';
import { parseCount, readJsonFile, readLines } from '../input.ts';
import { createProgress, type Progress } from '../progress.ts';
import { reportOutcome, showThing } from '../things.ts';

const submit = defineCommand({
  name: 'batch submit',
  summary: 'Submit all jobs of a file: NDJSON (a job a line), or one .json batch with defaults',
  options: {
    file: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      about: 'items.ndjson, batch.json, or - for NDJSON on standard input',
    },
    name: { type: 'string', value: 'NAME', about: 'a name to find it by' },
    concurrency: { type: 'string', value: 'N', about: 'how many run at once' },
    key: { type: 'string', value: 'KEY', about: 'Idempotency-Key: submitting again with it makes no second batch' },
    wait: { type: 'boolean', about: 'wait until all are final; exit 1 if not all succeeded' },
  },
  examples: ['perdure batch submit --file items.ndjson --name nightly --wait'],
  async action({ values, io, out, client }) {
    const { file, name, key: idempotencyKey } = values;
    if (file === undefined) throw new UsageError('--file is needed');
    const concurrency = parseCount(values.concurrency, '--concurrency');
    const given = { ...(name !== undefined && { name }), ...(concurrency !== undefined && { concurrency }) };
    const progress = createProgress(io);
    try {
      const batch = file.endsWith('.json')
        ? { ...(await readJsonFile<BatchOfItems>(file, io)), ...given }
        : { ...given, items: counted(readLines<BatchItem>(file, io), progress) };
      const created = await client.batches.create(batch, { idempotencyKey });
      if (!values.wait) {
        progress.end();
        showThing(created, out);
        if (!out.json) out.note(`Wait for it: perdure wait ${created.id}`);
        return;
      }
      const ended = await follow(client, created, progress);
      progress.end();
      return reportOutcome(ended, out, true);
    } finally {
      progress.end();
    }
  },
});

async function* counted(items: AsyncIterable<BatchItem>, progress: Progress): AsyncGenerator<BatchItem> {
  let sent = 0;
  for await (const item of items) {
    yield item;
    progress.show(++sent, null, `${sent} items sent`);
  }
}

async function follow(client: Perdure, batch: Batch, progress: Progress): Promise<Batch> {
  let now = batch;
  while (!isFinal(now)) {
    now = await client.batches.wait(now.id, { limit: '1s' });
    const { total, succeeded, failed, canceled } = now.counts;
    const ended = succeeded + failed + canceled;
    progress.show(ended, total, `${ended}/${total}, ${failed} failed`);
  }
  return now;
}

export const batch = [submit];
