// The queues: what waits for workers, and starting nothing new from one.
import { createList } from '../list.ts';
import type { Transport } from '../transport.ts';
import type { CallOptions, Queue, QueueFilter } from '../types.ts';

export function createQueues(transport: Transport) {
  const pathOf = (name: string) => `/v1/queues/${encodeURIComponent(name)}`;
  const change = (name: string, action: string, options?: CallOptions) =>
    transport.json<Queue>({ method: 'POST', path: `${pathOf(name)}/${action}`, repeatable: true }, options);
  return {
    list: (filter?: QueueFilter, options?: CallOptions) => createList<Queue>(transport, '/v1/queues', filter, options),
    get: (name: string, options?: CallOptions) => transport.json<Queue>({ method: 'GET', path: pathOf(name) }, options),
    pause: (name: string, options?: CallOptions) => change(name, 'pause', options),
    resume: (name: string, options?: CallOptions) => change(name, 'resume', options),
  };
}
