// Targets that misbehave: the job ends in the documented class, soon, and little of it is kept.
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startRawReceiver } from '../jobs/http/receivers.test-helper.ts';
import { type Api, createApi, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';

type OnRequest = Parameters<typeof startRawReceiver>[0];

let instance: Instance;
let api: Api;

beforeAll(async () => {
  instance = await startInstance();
  api = createApi(instance.url);
});
afterAll(() => instance.stop());

async function callIt(onRequest: OnRequest, onConnection?: OnRequest): Promise<{ job: Json; attempt: Json }> {
  const target = await startRawReceiver(onRequest, onConnection && ((socket) => onConnection(socket, 0)));
  try {
    const spec = { http: { url: target.url, timeout: '1s' }, retry: { maxAttempts: 1 } };
    const { body: job } = await api.post('/v1/jobs', spec, { prefer: 'wait=20' });
    const { body } = await api.get(`/v1/jobs/${job.id}/attempts`);
    return { job, attempt: body.items[0] };
  } finally {
    await target.close();
  }
}

const repeatedly = (work: () => void) => {
  const timer = setInterval(work, 5);
  return () => clearInterval(timer);
};

describe.concurrent('a target', () => {
  it.each<[string, OnRequest, string]>([
    ['resets after the request', (socket) => socket.resetAndDestroy(), 'network'],
    ['hangs up after the request', (socket) => socket.end(), 'network'],
    ['speaks no HTTP', (socket) => socket.end('220 mail ready\r\n'), 'network'],
    ['says nothing', () => undefined, 'timeout'],
    [
      'floods with headers',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(100_000)}\r\n`),
      'network',
    ],
    [
      'sends endless 1xx',
      (socket) =>
        void socket.on(
          'close',
          repeatedly(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n')),
        ),
      'timeout',
    ],
  ])('that %s leaves an unknown outcome', async (_name, onRequest, code) => {
    const { job, attempt } = await callIt(onRequest);
    expect(attempt.outcome).toBe('unknown');
    expect([job.status, job.result]).toEqual(['failed', null]);
    expect(job.error.code).toMatch(new RegExp(`^(${code}|timeout)$`));
  });

  it('that resets before the request was sent has not got it', async () => {
    const { job, attempt } = await callIt(
      () => undefined,
      (socket) => socket.resetAndDestroy(),
    );
    expect([job.status, job.error.code]).toEqual(['failed', 'network']);
    expect(['notSent', 'unknown']).toContain(attempt.outcome);
  });

  it.each<[string, OnRequest]>([
    [
      'never ends',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.on(
          'close',
          repeatedly(() => socket.write(Buffer.alloc(64 * 1024, 97))),
        );
      },
    ],
    [
      'drips',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
        socket.on(
          'close',
          repeatedly(() => socket.write('a')),
        );
      },
    ],
  ])('that answers and %s has succeeded', async (_name, onRequest) => {
    const { job, attempt } = await callIt(onRequest);
    expect([job.status, attempt.outcome, job.result.truncated]).toEqual(['succeeded', 'answered', true]);
    expect(job.result.bodyText.length).toBeLessThanOrEqual(64 * 1024);
  });

  it('that sends a gzip bomb is not inflated', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const { job } = await callIt((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n');
      socket.end(Buffer.concat([Buffer.from(`content-length: ${bomb.length}\r\n\r\n`), bomb]));
    });
    expect([job.status, job.result.status]).toEqual(['succeeded', 200]);
    expect(Buffer.from(job.result.bodyBase64, 'base64').length).toBeLessThanOrEqual(64 * 1024);
  });
});
