// One call by Temporal alone: as its tutorials write it, and at the least it can cost.
import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';

interface Calls {
  call(url: string): Promise<string>;
}

const { call } = proxyActivities<Calls>({ startToCloseTimeout: '10s', retry: { maximumAttempts: 5 } });
const { call: callLocally } = proxyLocalActivities<Calls>({ startToCloseTimeout: '10s' });

export async function textbook(url: string): Promise<string> {
  return call(url);
}

export async function floor(url: string): Promise<string> {
  return callLocally(url);
}
