// The event stream against a fake service that breaks off, falls silent or refuses.
import { expect, test } from 'vitest';

import { Perdure } from './index.ts';
import { problem, startFakeService } from './testing/fake-service.ts';

const line = (id: string) =>
  `id: ${id}\r\nevent: job.succeeded\r\ndata: ${JSON.stringify({ id, type: 'job.succeeded', data: { id: 'job_1' } })}\r\n\r\n`;

test('a stream that breaks off goes on after the last event seen', async () => {
  await using service = await startFakeService((request, response) => {
    const resumed = request.headers['last-event-id'];
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const alive = ': alive\nid: e2b\n\n';
    if (resumed === undefined) {
      response.end(`retry: 1\n\n: hello\n\n${line('e1')}${line('e2')}${alive}id: e3\ndata: cut o`);
    } else response.write(line('e3'));
  });
  const ids: string[] = [];
  for await (const event of new Perdure({ baseUrl: service.url }).events({ type: 'job.succeeded' })) {
    ids.push(event.id);
    if (event.id === 'e3') break;
  }
  expect(ids).toEqual(['e1', 'e2', 'e3']);
  expect(service.seen[1]?.headers['last-event-id']).toBe('e2b');
  expect(service.seen[1]?.query.get('type')).toBe('job.succeeded');
});

test('events split at any byte are the same events', async () => {
  const bytes = Buffer.from(line('é1') + line('é2').replaceAll('\r\n', '\r') + ':\r\n');
  await using service = await startFakeService((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    void (async () => {
      for (const byte of bytes) await new Promise((resolve) => response.write(Buffer.of(byte), resolve));
    })();
  });
  const ids: string[] = [];
  for await (const event of new Perdure({ baseUrl: service.url }).events()) {
    if (ids.push(event.id) === 2) break;
  }
  expect(ids).toEqual(['é1', 'é2']);
});

test('a silent stream is taken for dead and opened again', async () => {
  await using service = await startFakeService((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(service.seen.length === 1 ? 'retry: 1\n\n' : line('e1'));
  });
  const events = new Perdure({ baseUrl: service.url }).events({}, { idleTimeoutMs: 50 });
  expect((await events.next()).value).toMatchObject({ id: 'e1' });
  await events.return();
  expect(service.seen).toHaveLength(2);
});

test('a refused stream throws, and an abort ends it', async () => {
  await using service = await startFakeService(() => problem(403, 'missingScope'));
  const client = new Perdure({ baseUrl: service.url });
  await expect(client.events().next()).rejects.toMatchObject({ code: 'missingScope' });
  await expect(client.events({}, { signal: AbortSignal.abort(new Error('done')) }).next()).rejects.toThrow('done');
});
