// Asks visibility for many workflows at once, so that a year of waiting jobs costs the relay one question per page.
import type { Client } from '@temporalio/client';

import type { JobRow } from '../db/jobs.ts';

/** There is nothing to do for such a job as long as its workflow runs. */
export function isOnItsWay({ status, seenInTemporal }: JobRow): boolean {
  return seenInTemporal && ['scheduled', 'running', 'retrying'].includes(status);
}

/** Visibility may lag: what it does not show as running is looked at one by one, what it shows is looked at again later. */
export async function runningAmong(client: Client, jobs: JobRow[]): Promise<Set<string>> {
  const running = new Set<string>();
  if (jobs.length === 0) return running;
  const ids = jobs.map(({ id }) => `'${id}'`).join(', ');
  const query = `ExecutionStatus = 'Running' and WorkflowId in (${ids})`;
  for await (const { workflowId } of client.workflow.list({ query, pageSize: 500 })) running.add(workflowId);
  return running;
}
