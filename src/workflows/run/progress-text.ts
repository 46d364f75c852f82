// What the Web UI shows of a run: how far it is, and what it is at.
import { setCurrentDetails } from '@temporalio/workflow';

import type { RunContext } from './context.ts';

const MAX_NAMED = 10;

export function showProgress({ plan, states }: Pick<RunContext, 'plan' | 'states'>, status: string): void {
  const byStatus = new Map<string, string[]>();
  for (const id of plan.order) {
    const now = states.get(id)?.status ?? 'pending';
    byStatus.set(now, [...(byStatus.get(now) ?? []), id]);
  }
  const lines = [...byStatus].map(([now, ids]) => `- ${now} (${ids.length}): ${named(ids)}`);
  setCurrentDetails([`**${status}**, ${plan.order.length} steps`, '', ...lines].join('\n'));
}

function named(ids: string[]): string {
  return ids.length > MAX_NAMED ? `${ids.slice(0, MAX_NAMED).join(', ')}, …` : ids.join(', ');
}
