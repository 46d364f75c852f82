// Ten calls, one after the other, as one would write them with Temporal alone.
import { proxyActivities } from '@temporalio/workflow';

const { call } = proxyActivities<{ call(url: string): Promise<unknown> }>({
  startToCloseTimeout: '20s',
  retry: { maximumAttempts: 5 },
});

export async function handWritten(url: string): Promise<void> {
  for (let at = 0; at < 10; at++) await call(`${url}/s${at}`);
}
