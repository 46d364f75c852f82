// What the API has changed while a run is under way: the pause, and signals that steps may wait for.
import { CancellationScope, condition, proxyActivities } from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import type { RunContext } from './context.ts';

export interface Inbox {
  /** How often there was news. */
  news: number;
  /** How much of it has been taken. */
  heard: number;
}

const { takeRunControl } = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  retry: { maximumInterval: '10s' },
  summary: 'news',
});

/** News waits for the end of a call that is made inside the workflow task. */
export function hasNews(run: RunContext, inbox: Inbox): boolean {
  return inbox.news !== inbox.heard && !run.isInTask;
}

export async function listen(run: RunContext, inbox: Inbox): Promise<void> {
  inbox.heard = inbox.news;
  const { paused } = await takeRunControl({ runId: run.runId });
  if (paused !== run.paused) {
    run.paused = paused;
    for (const tell of run.onPaused) tell(paused);
  }
  run.news += 1;
}

export async function whileListening<Result>(
  run: RunContext,
  inbox: Inbox,
  work: () => Promise<Result>,
): Promise<Result> {
  const ear = new CancellationScope();
  const listening = ear.run(async () => {
    for (;;) {
      await condition(() => hasNews(run, inbox));
      await listen(run, inbox);
    }
  });
  // It ends by being canceled.
  listening.catch(() => {});
  try {
    return await work();
  } finally {
    ear.cancel();
  }
}
