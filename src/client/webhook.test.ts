// Signatures made by the reference library of Standard Webhooks.
import { Webhook as Signer } from 'standardwebhooks';
import { expect, test } from 'vitest';

import { verifyWebhook } from './index.ts';

const secret = `whsec_${btoa('a secret of thirty-two bytes ...')}`;
const other = `whsec_${btoa('another one of thirty-two bytes!')}`;
const body = JSON.stringify({ type: 'job.failed', timestamp: '2026-01-01T00:00:00Z', data: { id: 'job_é' } });

function signed(key: string, at = new Date()) {
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Signer(key).sign('msg_1', at, body),
  };
}

test('what the reference library signed is accepted, as text or bytes, with any kind of headers', async () => {
  const headers = signed(secret);
  expect(await verifyWebhook(headers, body, secret)).toMatchObject({ type: 'job.failed', data: { id: 'job_é' } });
  expect(await verifyWebhook(new Headers(headers), new TextEncoder().encode(body), secret)).toHaveProperty('data');
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]));
  expect(await verifyWebhook(upper, body, secret)).toHaveProperty('data');
});

test('one of several signatures or secrets is enough', async () => {
  const headers = signed(other);
  headers['webhook-signature'] =
    `v1a,xyz v1,%%% ${signed(secret)['webhook-signature']} ${headers['webhook-signature']}`;
  expect(await verifyWebhook(headers, body, other)).toHaveProperty('data');
  expect(await verifyWebhook(signed(other), body, [secret, other])).toHaveProperty('data');
});

test('a changed body, another secret, an old or future time and a missing header are refused', async () => {
  const refused = (promise: Promise<unknown>, code: string) => expect(promise).rejects.toMatchObject({ code });
  await refused(verifyWebhook(signed(secret), `${body} `, secret), 'wrongSignature');
  await refused(verifyWebhook(signed(other), body, secret), 'wrongSignature');
  const old = signed(secret, new Date(Date.now() - 400_000));
  await refused(verifyWebhook(old, body, secret), 'badTimestamp');
  expect(await verifyWebhook(old, body, secret, { toleranceSeconds: 500 })).toHaveProperty('data');
  await refused(verifyWebhook(signed(secret, new Date(Date.now() + 400_000)), body, secret), 'badTimestamp');
  await refused(verifyWebhook({ ...signed(secret), 'webhook-timestamp': '1e9' }, body, secret), 'badTimestamp');
  await refused(verifyWebhook({ ...signed(secret), 'webhook-id': undefined }, body, secret), 'missingHeader');
  await refused(verifyWebhook(signed(secret), body, 'whsec_'), 'badSecret');
});
