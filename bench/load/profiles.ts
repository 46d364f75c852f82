// The profiles: which actions a load consists of, and whether it keeps a pace.
import { type Action, batch, canceled, dependants, duplicate, later, single, workflow } from './actions.ts';

export interface Profile {
  /** Spread over the time, or all at once. */
  paced: boolean;
  /** A workflow to run, and schedules that fire beside it all. */
  fixtures: boolean;
  mix: { action: Action; weight: number }[];
}

export const PROFILES = {
  steady: { paced: true, fixtures: false, mix: [{ action: single('ok'), weight: 1 }] },
  burst: { paced: false, fixtures: false, mix: [{ action: single('ok'), weight: 1 }] },
  flaky: {
    paced: true,
    fixtures: false,
    mix: [
      { action: single('ok'), weight: 20 },
      { action: single('slow'), weight: 10 },
      { action: single('flaky'), weight: 25 },
      { action: single('reset'), weight: 15 },
      { action: single('limit'), weight: 10 },
      { action: single('error'), weight: 10 },
      { action: single('refused'), weight: 5 },
      { action: single('hang'), weight: 5 },
    ],
  },
  mixed: {
    paced: true,
    fixtures: true,
    mix: [
      { action: single('ok'), weight: 40 },
      { action: single('slow'), weight: 5 },
      { action: single('flaky'), weight: 10 },
      { action: single('limit'), weight: 3 },
      { action: single('reset'), weight: 3 },
      { action: single('error'), weight: 2 },
      { action: single('refused'), weight: 2 },
      { action: single('hang'), weight: 1 },
      { action: later, weight: 5 },
      { action: duplicate, weight: 8 },
      { action: dependants, weight: 5 },
      { action: canceled, weight: 5 },
      { action: workflow, weight: 6 },
      { action: batch, weight: 3 },
    ],
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof PROFILES;

/**
 * The actions of a load, as often as their weights say and in one order every time. Every action comes once before
 * any comes twice, so that a short load has them all.
 */
export function* actionsOf({ mix }: Profile, jobs: number): Generator<Action> {
  const done = mix.map(() => 0);
  for (let made = 0; made < jobs;) {
    let next = 0;
    // The one that lags most behind its share.
    for (let at = 1; at < mix.length; at++) if (lag(at) < lag(next)) next = at;
    const { action } = mix[next] ?? { action: single('ok') };
    done[next] = (done[next] ?? 0) + 1;
    made += action.jobs;
    yield action;
  }

  function lag(at: number): number {
    return (done[at] ?? 0) / (mix[at]?.weight ?? 1);
  }
}
