// Notifications: signed, sent until they arrive, and never a reason for the job to end otherwise.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { SMTPServer } from 'smtp-server';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../testing/receiver.ts';

const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const mails: { to: string[]; from: string; text: string }[] = [];

let instance: Instance;
let receiver: Receiver;
let api: Api;
let smtp: SMTPServer;

beforeAll(async () => {
  smtp = await startSmtp();
  const { port } = smtp.server.address() as AddressInfo;
  [instance, receiver] = await Promise.all([
    startInstance({ PERDURE_SMTP_URL: `smtp://127.0.0.1:${port}`, PERDURE_MAIL_FROM: 'jobs@perdure.test' }),
    startReceiver(),
  ]);
  api = createApi(instance.url);
  receiver.on('/dead', answer(404));
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
  await new Promise<void>((resolve) => smtp.close(resolve));
});

async function startSmtp(): Promise<SMTPServer> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const from = envelope.mailFrom ? envelope.mailFrom.address : '';
        mails.push({ to: envelope.rcptTo.map(({ address }) => address), from, text: Buffer.concat(chunks).toString() });
        done();
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return server;
}

async function run(path: string, notify: object[], more: object = {}): Promise<Json> {
  const spec = { http: { url: `${receiver.url}${path}` }, notify, ...more };
  const { status, body } = await api.post('/v1/jobs', spec, { prefer: 'wait=20' });
  expect(status).toBe(201);
  return body;
}
const hook = (path: string, more: object = {}) => ({ url: `${receiver.url}${path}`, ...more });

describe.concurrent('a webhook', () => {
  it('tells of the job as it ended, signed by the Standard Webhooks spec', async () => {
    const job = await run('/ok', [{ on: ['succeeded', 'failed'], webhook: hook('/signed', { secret }) }]);
    const [call] = await eventually(() => receiver.at('/signed').length > 0 && receiver.at('/signed'));
    const headers = call?.headers as Record<string, string>;
    expect(call?.method).toBe('POST');
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': expect.stringMatching(/^msg_/) });
    const event = new Webhook(secret).verify(call?.body ?? '', headers) as Json;
    expect(event).toEqual({ type: 'job.succeeded', timestamp: job.finishedAt, data: job });
    expect(event.data.notify[0].webhook.secret).toBe('[redacted]');
    expect(() => new Webhook(secret).verify(`${call?.body} `, headers)).toThrow();
  });

  it('is sent for the states it names and no others', async () => {
    const both = [
      { on: ['succeeded'], webhook: hook('/only-succeeded') },
      { on: ['failed'], webhook: hook('/only-failed') },
    ];
    await Promise.all([run('/ok', both), run('/dead', both)]);
    const types = (path: string) => receiver.at(path).map(({ body }) => JSON.parse(body).type as string);
    await eventually(() => types('/only-succeeded').length > 0 && types('/only-failed').length > 0);
    expect([types('/only-succeeded'), types('/only-failed')]).toEqual([['job.succeeded'], ['job.failed']]);
    expect(receiver.at('/only-failed')[0]?.headers).not.toHaveProperty('webhook-signature');
  });

  it('comes for a cancel and for a deadline too', async () => {
    const notify = [{ on: ['canceled', 'expired'], webhook: hook('/others') }];
    const { body } = await api.post('/v1/jobs', { http: hook('/ok'), notify, delay: '1h' });
    await api.post(`/v1/jobs/${body.id}/cancel`);
    await run('/dead', notify, { deadline: '1ms', dependsOn: [] });
    const types = () => receiver.at('/others').map((call) => JSON.parse(call.body).type as string);
    await eventually(() => types().length === 2);
    expect(types().sort()).toEqual(['job.canceled', 'job.expired']);
  });

  it('is sent again after 5 s under the same id, and the job stays as it was', async () => {
    receiver.on('/flaky-hook', (_request, response, nth) => void response.writeHead(nth < 2 ? 500 : 204).end());
    const job = await run('/ok', [{ on: ['succeeded'], webhook: hook('/flaky-hook', { secret }) }]);
    await eventually(() => receiver.at('/flaky-hook').length === 2);
    const [first, second] = receiver.at('/flaky-hook');
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(second?.body).toBe(first?.body);
    expect(Number(second?.at) - Number(first?.at)).toBeGreaterThanOrEqual(4_900);
    new Webhook(secret).verify(second?.body ?? '', second?.headers as Record<string, string>);
    expect((await api.get(`/v1/jobs/${job.id}`)).body).toEqual(job);
  });

  it('is not sent again after a 410, and a redirect is not followed', async () => {
    receiver.on('/gone-hook', answer(410));
    receiver.on('/moved-hook', answer(307, { location: '/moved-to' }));
    await run('/ok', [
      { on: ['succeeded'], webhook: hook('/gone-hook') },
      { on: ['succeeded'], webhook: hook('/moved-hook') },
    ]);
    await eventually(() => receiver.at('/moved-hook').length === 2);
    expect(receiver.at('/gone-hook')).toHaveLength(1);
    expect(receiver.at('/moved-to')).toHaveLength(0);
  });
});

it('a mail goes to everyone it names, with one subject line', async () => {
  const job = await run('/dead', [{ on: ['failed'], email: { to: ['ops@example.com', 'b@example.com'] } }], {
    name: 'Grüße, ops',
  });
  const [mail] = await eventually(() => mails.length > 0 && mails);
  expect(mail).toMatchObject({ from: 'jobs@perdure.test', to: ['ops@example.com', 'b@example.com'] });
  expect(mail?.text).toContain(job.id);
  expect(mail?.text).toMatch(/^From: jobs@perdure\.test\r$/m);
  expect(mail?.text).toMatch(/^Subject: .+\r$/m);
  expect(mails).toHaveLength(1);
});
