// Requests beyond the planned ones: which calls were sent again, and whether the fault may have cost that.
import type { Budget, Findings } from './checker.ts';
import type { Send } from './oracle.ts';
import { type Delivery, type Plan, plannedSends } from './plan.ts';

/** In a complaint; all of them are in the report's folder. */
const NAMED = 5;

export interface Resent {
  delivery: Delivery;
  call: string;
  times: number;
}

export function resentCalls(plans: Plan[], sends: Map<string, Send[]>): Resent[] {
  return plans.flatMap((plan) =>
    Object.entries(plan.steps).flatMap(([step, planned]) => {
      const call = `${plan.tag}/${step}`;
      const times = (sends.get(call)?.length ?? 0) - plannedSends(plan, planned);
      return times > 0 ? [{ delivery: plan.delivery, call, times }] : [];
    }),
  );
}

export function countDupSends(resent: Resent[]): Findings['dupSends'] {
  const counts = { atLeastOnce: 0, atMostOnce: 0 };
  for (const { delivery, times } of resent) counts[delivery] += times;
  return counts;
}

export function beyond(resent: Resent[], budget: Budget): string[] {
  const dupSends = countDupSends(resent);
  return (['atLeastOnce', 'atMostOnce'] as const).flatMap((delivery) => {
    const [seen, allowed] = [dupSends[delivery], budget.dupSends[delivery]];
    const calls = resent.filter((one) => one.delivery === delivery).map(({ call }) => call);
    return seen > allowed
      ? [`${delivery}: ${seen} sent again, ${allowed} allowed: ${calls.slice(0, NAMED).join(', ')}`]
      : [];
  });
}
