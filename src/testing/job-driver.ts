// Submits jobs whose target is a receiver and follows them to their end, as a client would.
import { once } from 'node:events';

import { expect } from 'vitest';

import { type Api, eventually, type Json } from './api.ts';
import type { Receiver } from './receiver.ts';

export type JobDriver = ReturnType<typeof createJobDriver>;

export function createJobDriver(api: Api, receiver: Receiver) {
  /** `path` at the receiver, or a whole URL. */
  const submit = async (path: string, http: object = {}, more: object = {}): Promise<Json> => {
    const url = path.startsWith('http') ? path : `${receiver.url}${path}`;
    const { status, body } = await api.post('/v1/jobs', { http: { url, ...http }, ...more });
    expect([status, body]).toMatchObject([201, { id: expect.any(String) }]);
    return body;
  };
  const get = async (id: string): Promise<Json> => (await api.get(`/v1/jobs/${id}`)).body;
  const ended = async ({ id }: Json): Promise<Json> => {
    const job = (await api.get(`/v1/jobs/${id}?wait=30s`)).body;
    expect(job.finishedAt, `${id} is ${job.status}`).not.toBeNull();
    return job;
  };
  return {
    submit,
    get,
    ended,
    run: async (path: string, http?: object, more?: object): Promise<Json> => ended(await submit(path, http, more)),
    attemptsOf: async ({ id }: Json): Promise<Json[]> => (await api.get(`/v1/jobs/${id}/attempts`)).body.items,
    reach: (id: string, status: string, timeoutMs = 30_000) =>
      eventually(async () => (await get(id)).status === status, { timeoutMs, what: `${id} ${status}` }),
    /** The path takes requests and never answers; what comes back tells when each caller hung up. */
    hang: (path: string): Promise<unknown>[] => {
      const hungUp: Promise<unknown>[] = [];
      receiver.on(path, (_request, response) => void hungUp.push(once(response, 'close')));
      return hungUp;
    },
  };
}
