// Dead letters: read, drive again one or many, delete.
import { createList } from '../list.ts';
import type { Transport } from '../transport.ts';
import type {
  BulkOperation,
  CallOptions,
  CreateOptions,
  DeadLetter,
  DeadLetterFilter,
  RedriveInput,
  RedriveManyInput,
  Redriven,
} from '../types.ts';

const PATH = '/v1/dead-letters';

export function createDeadLetters(transport: Transport) {
  const pathOf = (id: string, action = '') => `${PATH}/${encodeURIComponent(id)}${action}`;
  const operationPath = (id: string, action = '') => `/v1/bulk-operations/${encodeURIComponent(id)}${action}`;
  return {
    list: (filter?: DeadLetterFilter, options?: CallOptions) =>
      createList<DeadLetter>(transport, PATH, filter, options),
    get: (id: string, options?: CallOptions) =>
      transport.json<DeadLetter>({ method: 'GET', path: pathOf(id) }, options),
    delete: (id: string, options?: CallOptions) =>
      transport.json<void>({ method: 'DELETE', path: pathOf(id) }, options),
    /** The new job or run; `alreadyRedriven` (409) the second time. */
    redrive: (id: string, redrive: RedriveInput = {}, options?: CreateOptions) =>
      transport.create<Redriven>({ path: pathOf(id, '/redrive'), body: redrive }, options),
    /** Goes on in the background; read how far with `operation`. */
    redriveMany: (redrive: RedriveManyInput, options?: CreateOptions) =>
      transport.create<BulkOperation>({ path: `${PATH}/redrive`, body: redrive }, options),
    operation: (id: string, options?: CallOptions) =>
      transport.json<BulkOperation>({ method: 'GET', path: operationPath(id) }, options),
    abort: (id: string, options?: CallOptions) =>
      transport.json<BulkOperation>({ method: 'POST', path: operationPath(id, '/abort'), repeatable: true }, options),
  };
}
