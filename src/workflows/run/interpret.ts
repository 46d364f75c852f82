// Starts steps as soon as they may start, until nothing is left to do or the history is long enough.
import { condition, workflowInfo } from '@temporalio/workflow';

import { nextActions } from '../../language/progress.ts';
import type { RunContext } from './context.ts';
import { hasNews, type Inbox, listen } from './news.ts';
import { showProgress } from './progress-text.ts';
import { runStep, skipStep } from './steps.ts';

export type Outcome = 'succeeded' | 'failed' | 'rest';

/** Pending commands of one workflow have a limit, and so has the fairness towards others. */
const MAX_RUNNING = 200;

export async function interpret(run: RunContext, inbox: Inbox): Promise<Outcome> {
  const progress = { active: 0, ended: 0, crash: null as { error: unknown } | null };
  let isStopping = false;
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
    await condition(() => progress.ended !== ended || progress.crash !== null || hasNews(run, inbox));
    if (progress.crash !== null) throw progress.crash.error;
    if (hasNews(run, inbox)) await listen(run, inbox);
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

function isOnlyWaiting({ states }: RunContext): boolean {
  const open = [...states.values()].map(({ status }) => status);
  return open.includes('waiting') && !open.includes('running') && !open.includes('retrying');
}
