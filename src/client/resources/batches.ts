// Batches: many jobs accepted together, given as an array or streamed.
import { createList } from '../list.ts';
import { createLines } from '../ndjson.ts';
import type { Transport } from '../transport.ts';
import type {
  Batch,
  BatchFilter,
  BatchInput,
  BatchOfItems,
  BatchOfStream,
  CallOptions,
  CreateOptions,
  WaitOptions,
} from '../types.ts';
import { waitUntilFinal } from '../wait.ts';

const PATH = '/v1/batches';

export function createBatches(transport: Transport) {
  const pathOf = (id: string) => `${PATH}/${encodeURIComponent(id)}`;
  return {
    /** All or nothing: one bad item refuses the batch and is named in `errors`. */
    create: (batch: BatchInput, options?: CreateOptions) =>
      isStreamed(batch)
        ? createStreamed(transport, batch, options)
        : transport.create<Batch>({ path: PATH, body: batch }, options),
    get: (id: string, options?: CallOptions) => transport.json<Batch>({ method: 'GET', path: pathOf(id) }, options),
    wait: (id: string, options?: WaitOptions) => waitUntilFinal<Batch>(transport, pathOf(id), options),
    list: (filter?: BatchFilter, options?: CallOptions) => createList<Batch>(transport, PATH, filter, options),
    cancel: (id: string, options?: CallOptions) =>
      transport.json<Batch>({ method: 'POST', path: `${pathOf(id)}/cancel`, repeatable: true }, options),
  };
}

function isStreamed(batch: BatchOfItems | BatchOfStream): batch is BatchOfStream {
  return Symbol.asyncIterator in batch.items;
}

async function createStreamed(transport: Transport, batch: BatchOfStream, options?: CreateOptions): Promise<Batch> {
  const { items, name, concurrency } = batch;
  const lines = createLines(items);
  try {
    return await transport.create<Batch>({ path: PATH, query: { name, concurrency }, lines: lines.stream }, options);
  } catch (error) {
    throw lines.failure()?.error ?? error;
  } finally {
    await lines.close();
  }
}
