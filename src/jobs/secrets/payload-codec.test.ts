// What one workflow wrote, no other reads; what is plain is refused; what is older is still read.
import { expect, test } from 'vitest';

import { createKeyring, parseMasterKeys, UndecipherableError } from './keyring.ts';
import { createPayloadCodec, isEncrypted, ownerOf } from './payload-codec.ts';

const OLD = Buffer.alloc(32, 1).toString('base64');
const NEW = Buffer.alloc(32, 2).toString('base64');
const payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"url":"http://a.example"}') };

const codecOf = ({ keys = OLD, namespace = 'default', allowPlain = false } = {}) =>
  createPayloadCodec({ keyring: createKeyring(parseMasterKeys(keys)), namespace, allowPlain });
const workflow = (workflowId: string) => ({ type: 'workflow' as const, namespace: 'default', workflowId });

async function encoded(owner = 'job_1') {
  const [one] = await codecOf().encode([payload], workflow(owner));
  if (!one) throw new Error('nothing was encoded');
  return one;
}

test('the workflow it was written for reads it back, byte for byte', async () => {
  const one = await encoded();
  expect(isEncrypted(one)).toBe(true);
  expect(ownerOf(one)).toBe('job_1');
  expect(Buffer.from(one.data ?? []).toString('latin1')).not.toContain('example');
  const [read] = await codecOf().decode([one], workflow('job_1'));
  expect(Buffer.from(read?.data ?? [])).toEqual(payload.data);
  expect(Buffer.from(read?.metadata?.encoding ?? []).toString()).toBe('json/plain');
  expect(await codecOf({ keys: `${NEW},${OLD}` }).decode([one], workflow('job_1'))).toEqual([read]);
  // Where nobody says whose it is, as in the Web UI.
  expect(await codecOf().decode([one])).toEqual([read]);
});

test('payloads without data or metadata come back as they were', async () => {
  for (const empty of [{}, { metadata: { encoding: Buffer.from('binary/null') } }, { data: Buffer.alloc(0) }]) {
    const [read] = await codecOf().decode(await codecOf().encode([empty], workflow('a')), workflow('a'));
    expect(Buffer.from(read?.data ?? [])).toEqual(Buffer.from(empty.data ?? []));
  }
});

test('what a schedule wrote is read by its runs, and by nobody whose id only begins alike', async () => {
  const one = await encoded('nightly');
  for (const run of ['nightly', 'nightly-2026-12-01T12:00:00Z']) {
    expect(await codecOf().decode([one], workflow(run))).toHaveLength(1);
  }
  for (const other of ['nightly2', 'nightly-x', 'nightly-2026-12-01T12:00:00Z-x', 'night', 'job_1']) {
    await expect(codecOf().decode([one], workflow(other))).rejects.toThrow(UndecipherableError);
  }
});

test('another workflow, namespace, key or owner in the metadata, and what is plain, is refused', async () => {
  const one = await encoded();
  const renamed = { ...one, metadata: { ...one.metadata, 'perdure-owner': Buffer.from('job_2') } };
  await expect(codecOf().decode([one], workflow('job_2'))).rejects.toThrow(UndecipherableError);
  await expect(codecOf().decode([renamed], workflow('job_2'))).rejects.toThrow(UndecipherableError);
  await expect(codecOf({ namespace: 'other' }).decode([one], workflow('job_1'))).rejects.toThrow(UndecipherableError);
  await expect(codecOf({ keys: NEW }).decode([one], workflow('job_1'))).rejects.toThrow(UndecipherableError);
  await expect(codecOf().decode([payload], workflow('job_1'))).rejects.toThrow('not encrypted');
  expect(await codecOf({ allowPlain: true }).decode([payload], workflow('job_1'))).toEqual([payload]);
});
