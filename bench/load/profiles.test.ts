// A load is bounded, and a short one has everything in it that a long one has.
import { expect, test } from 'vitest';

import { actionsOf, type Profile, PROFILES } from './profiles.ts';

const jobsOf = (profile: Profile, jobs: number) =>
  [...actionsOf(profile, jobs)].reduce((sum, { jobs: n }) => sum + n, 0);

test.each(Object.entries(PROFILES))('%s makes what it was asked for, and at most one action more', (_name, profile) => {
  for (const jobs of [1, 100, 1_000]) {
    const made = jobsOf(profile, jobs);
    expect(made).toBeGreaterThanOrEqual(jobs);
    expect(made).toBeLessThan(jobs + 20);
  }
});

test('fifty jobs of the mixed profile are at least one of every action', () => {
  const actions = new Set(actionsOf(PROFILES.mixed, 50));
  expect(actions.size).toBe(PROFILES.mixed.mix.length);
});

test('two loads are the same', () => {
  expect([...actionsOf(PROFILES.flaky, 300)]).toEqual([...actionsOf(PROFILES.flaky, 300)]);
});
