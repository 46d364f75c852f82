// Starts steps as soon as they may start, until nothing is left to do or the history is long enough.
import { condition, proxyActivities, workflowInfo } from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import { nextActions } from '../../language/progress.ts';
import type { RunContext } from './context.ts';
import { showProgress } from './progress-text.ts';
import { runStep, skipStep } from './steps.ts';

export type Outcome = 'succeeded' | 'failed' | 'rest';

/** Pending commands of one workflow have a limit, and so has the fairness towards others. */
const MAX_RUNNING = 200;

const { takeRunControl } = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  retry: { maximumInterval: '10s' },
  summary: 'news',
});

export async function interpret(run: RunContext, inbox: { news: number }): Promise<Outcome> {
  const progress = { active: 0, ended: 0, crash: null as { error: unknown } | null };
  let isStopping = false;
  let heard = 0;
  run.isStopping = () => isStopping;

  for (;;) {
    // Children would not survive a new execution.
    isStopping ||= workflowInfo().continueAsNewSuggested && run.children === 0;
    if (isStopping && progress.active === 0) return 'rest';
    const outcome = isStopping ? null : advance();
    if (outcome !== null) return outcome;
    run.recorder.setStatus(isOnlyWaiting(run) ? 'waiting' : 'running');
    showProgress(run, run.paused ? 'paused' : 'running');
    const { ended } = progress;
    const hasNews = () => inbox.news !== heard && !run.isInTask;
    await condition(() => progress.ended !== ended || progress.crash !== null || hasNews());
    if (progress.crash !== null) throw progress.crash.error;
    if (hasNews()) {
      heard = inbox.news;
      await listen(run);
    }
  }

  function advance(): Outcome | null {
    const { definition, plan, states, paused } = run;
    const actions = nextActions(definition, plan, states, { maxRunning: MAX_RUNNING, paused });
    for (const skipped of actions.skip) skipStep(run, skipped);
    run.soloStep = progress.active === 0 && actions.start.length === 1 ? (actions.start[0] ?? null) : null;
    for (const id of actions.start) start(id);
    return progress.active === 0 ? actions.outcome : null;
  }

  function start(id: string): void {
    progress.active += 1;
    void runStep(run, id)
      .catch((error: unknown) => {
        progress.crash ??= { error };
      })
      .finally(() => {
        progress.active -= 1;
        progress.ended += 1;
      });
  }
}

/** What the API has changed: the pause, and signals that steps may wait for. */
async function listen(run: RunContext): Promise<void> {
  const { paused } = await takeRunControl({ runId: run.runId });
  if (paused !== run.paused) {
    run.paused = paused;
    for (const tell of run.onPaused) tell(paused);
  }
  run.news += 1;
}

function isOnlyWaiting({ states }: RunContext): boolean {
  const open = [...states.values()].map(({ status }) => status);
  return open.includes('waiting') && !open.includes('running') && !open.includes('retrying');
}
