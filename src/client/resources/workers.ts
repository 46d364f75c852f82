// The workers: who is there, and taking them out of service.
import { createList } from '../list.ts';
import type { Transport } from '../transport.ts';
import type { CallOptions, Worker, WorkerFilter } from '../types.ts';

export function createWorkers(transport: Transport) {
  const change = (id: string, action: string, options?: CallOptions) =>
    transport.json<Worker>(
      { method: 'POST', path: `/v1/workers/${encodeURIComponent(id)}/${action}`, repeatable: true },
      options,
    );
  return {
    list: (filter?: WorkerFilter, options?: CallOptions) =>
      createList<Worker>(transport, '/v1/workers', filter, options),
    get: (id: string, options?: CallOptions) =>
      transport.json<Worker>({ method: 'GET', path: `/v1/workers/${encodeURIComponent(id)}` }, options),
    pause: (id: string, options?: CallOptions) => change(id, 'pause', options),
    resume: (id: string, options?: CallOptions) => change(id, 'resume', options),
    drain: (id: string, options?: CallOptions) => change(id, 'drain', options),
  };
}
