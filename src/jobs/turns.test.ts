// Whoever stands in line: one of each tenant, then the next of each.
import { expect, it } from 'vitest';

import { createTurns } from './turns.ts';

const serveAll = (turns: ReturnType<typeof createTurns<string>>) => {
  const served: string[] = [];
  for (let item = turns.next(); item !== undefined; item = turns.next()) served.push(item);
  return served;
};

it('tenants take turns, and those of one keep their order', () => {
  const turns = createTurns<string>();
  for (const item of ['b1', 'b2', 'b3', 'b4']) turns.join('big', item);
  turns.join('small', 's1');
  turns.join('small', 's2');
  expect(serveAll(turns)).toEqual(['b1', 's1', 'b2', 's2', 'b3', 'b4']);
  expect(turns.isEmpty()).toBe(true);
});

it('whoever comes again after its turn stands behind those that have waited', () => {
  const turns = createTurns<string>();
  turns.join('big', 'b1');
  turns.join('small', 's1');
  expect(turns.next()).toBe('b1');
  turns.join('big', 'b2');
  expect(serveAll(turns)).toEqual(['s1', 'b2']);
});

it('whoever leaves is not served, nor is a place kept for its tenant', () => {
  const turns = createTurns<string>();
  turns.join('big', 'b1');
  turns.join('small', 's1');
  turns.leave('big', 'b1');
  turns.leave('big', 'never there');
  expect(serveAll(turns)).toEqual(['s1']);
});
