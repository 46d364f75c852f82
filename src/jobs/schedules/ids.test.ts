// Ids of schedules and of their runs: no two tenants and no two schedules can ever make the same one.
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { TENANT_PATTERN } from '../../contract/access.ts';
import { temporalScheduleId } from '../../contract/schedule.ts';
import { nominalMsOf, tickId } from './timing.ts';

const word = fc.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/);
const name = fc.record({ tenant: fc.oneof(fc.constant('default'), word), id: word });
/** Names that look like parts of each other. */
const close = fc.constantFrom('a', 'a-t', 'default', 'a-2026-01-01T00', 'tick', 'job_1', 'default-a', '-', 'a-');
const closeName = fc.record({ tenant: close, id: close });
const anyName = fc.oneof(name, closeName);
const time = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1_000);

test('a tenant and an id of a schedule hold no dot and no colon', () => {
  for (const bad of ['a.b', 'a:b', '', 'a/b', ' a', 'ä']) expect(TENANT_PATTERN.test(bad)).toBe(false);
});

test('different schedules have different ids in Temporal', () => {
  fc.assert(
    fc.property(anyName, anyName, (one, other) => {
      const same = one.tenant === other.tenant && one.id === other.id;
      expect(temporalScheduleId(one) === temporalScheduleId(other)).toBe(same);
    }),
    { numRuns: 2_000 },
  );
});

test('an id of a run belongs to one schedule and one time', () => {
  fc.assert(
    fc.property(anyName, anyName, time, time, (one, other, at, then) => {
      const same = one.tenant === other.tenant && one.id === other.id;
      expect(tickId(one, at) === tickId(other, then)).toBe(same && at === then);
      expect(nominalMsOf(other, tickId(one, at))).toBe(same ? at : null);
    }),
    { numRuns: 2_000 },
  );
});
