// Places under way, and the line before them.
import { expect, it } from 'vitest';

import { createGate } from './gate.ts';

const LONG_MS = 60_000;

it('whoever waits is let in by turns of tenants, not behind all of one', async () => {
  const gate = createGate(() => 1);
  expect(gate.tryEnter()).toBe(true);
  const order: string[] = [];
  const wait = (tenant: string) => gate.enter(1, LONG_MS, tenant).then(() => order.push(tenant));
  const all = [wait('big'), wait('big'), wait('big'), wait('small'), wait('small')];
  for (const _each of all) {
    gate.leave();
    await Promise.resolve();
  }
  await Promise.all(all);
  expect(order).toEqual(['big', 'small', 'big', 'small', 'big']);
});

it('while somebody waits nobody passes the line, and who waited in vain leaves it', async () => {
  const gate = createGate(() => 1);
  gate.tryEnter();
  const inVain = gate.enter(1, 1, 'big');
  expect(gate.tryEnter()).toBe(false);
  expect(await inVain).toBe(0);
  gate.leave();
  expect(gate.tryEnter()).toBe(true);
});
