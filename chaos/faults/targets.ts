// Targets that misbehave: what is known of a call decides whether it is made again, and how soon.
import { RETRY_AFTER_MS } from '../behaviours.ts';
import type { Fault, Scene } from '../fault.ts';
import { readSends } from '../ledger.ts';

export const TARGET_FAULTS: Fault[] = [
  {
    id: 'F16',
    company: 'others',
    title: 'Targets that reset, close, hang, drip, send rubbish or break off their answer',
    jobs: { short: 150, full: 1_600 },
    perSecond: 30,
    mix: {
      atMostOnce: 0.5,
      misbehaving: 1,
      chains: 0,
      behaviours: [
        ...(['rst', 'fin', 'garbage', 'hang', 'headersThenDie', 'drip', 'interim', 'tooLarge', 'status500'] as const),
      ],
    },
  },
  {
    id: 'F17',
    company: 'others',
    title: 'Targets that answer 429 and 503 with Retry-After, then heal',
    jobs: { short: 100, full: 1_000 },
    perSecond: 30,
    mix: { misbehaving: 1, chains: 0, delayed: 0, behaviours: ['busy', 'unavailable'] },
    async afterwards(scene) {
      const early = tooEarly(scene);
      if (early.length > 0) scene.complain(`called again before Retry-After: ${early.slice(0, 5).join(', ')}`);
    },
  },
];

function tooEarly({ world, plans }: Scene): string[] {
  const byTag = new Map(plans.map((plan) => [plan.tag, plan]));
  const last = new Map<string, number>();
  return readSends(world, (tag) => byTag.has(tag)).flatMap(({ tag, at }) => {
    const { behaviour = 'well' } = byTag.get(tag)?.steps.call ?? {};
    const before = last.get(tag);
    last.set(tag, at);
    // The oracle writes before it answers, so the pause it sees is the pause there was.
    return before !== undefined && at - before < (RETRY_AFTER_MS[behaviour] ?? 0) ? [tag] : [];
  });
}
