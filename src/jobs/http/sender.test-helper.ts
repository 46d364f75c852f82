// A sender and its targets for one test of this folder: all of them are closed when it ends, the last one first.
import { afterEach } from 'vitest';

import { parseEgress } from './egress.ts';
import { type RawReceiver, startRawReceiver } from './receivers.test-helper.ts';
import { createHttpSender, type HttpSender, type OutgoingRequest, type SendOutcome } from './send.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const anywhere = parseEgress('any');

export function startSender(deps: Partial<Parameters<typeof createHttpSender>[0]> = {}): HttpSender {
  const sender = createHttpSender({ getPolicy: () => anywhere, ...deps });
  closers.push(() => sender.close());
  return sender;
}

export async function startTarget(...args: Parameters<typeof startRawReceiver>): Promise<RawReceiver> {
  const target = await startRawReceiver(...args);
  closers.push(() => target.close());
  return target;
}

export function get(url: string): OutgoingRequest {
  return { method: 'GET', url, headers: {}, followRedirects: false };
}

export function answer(outcome: SendOutcome) {
  if (outcome.kind !== 'answered') throw new Error(JSON.stringify(outcome));
  return { ...outcome, text: outcome.body.toString() };
}
