// One HTTP call of a run (a step, an item, a compensation): the same attempts as a job's, under a key of its own.
import { proxyActivities } from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import { parseDurationMs } from '../../contract/duration.ts';
import { compensationIdOf, jobIdOf, type StepCall, type StepCallResult } from '../../contract/run.ts';
import type { StepDefinition } from '../../language/definition.ts';
import type { HttpInput } from '../../language/http-template.ts';
import { attemptLocally, attemptUntilFinal, regularAttempt } from '../attempt-until-final.ts';
import type { RunContext } from './context.ts';
import { type Ended, endOfError } from './ends.ts';
import { waitForTurn } from './rest.ts';

const DEFAULT_TIMEOUT = '10s';
/** Longer calls would hold their workflow task for too long; they run as regular activities. */
const LOCAL_TIMEOUT_MS = 10_000;

type Final = StepCallResult & { kind: 'final' };
// A local activity comes back at another moment when it is replayed together with signals or with others of its kind.
// So a call is made that way only while nothing else is under way, and all other activities of a run are regular ones.
type CallSettings = Pick<StepDefinition, 'retry' | 'delivery'>;

const durable = proxyActivities<Activities>({ startToCloseTimeout: '30s', retry: { maximumInterval: '10s' } });

export function callStep(run: RunContext, step: StepDefinition, http: HttpInput, item: number | null): Promise<Ended> {
  const id = jobIdOf(run.runId, step.id, item);
  const key = jobIdOf(run.snapshot.stepKeys[step.id] ?? run.snapshot.keyBase, step.id, item);
  const call = createCall(run, step.id, http, step, { id, key, item });
  const wantsOutput = item === null && run.wanted.has(step.id);
  const isAlone = run.soloStep === step.id && (item === null || step.concurrency === 1);
  const summary = `step ${step.id}${item === null ? '' : ` item ${item}`}`;
  return performCall(run, { ...call, wantsOutput }, { summary, isLocal: isAlone && step.delivery !== 'atMostOnce' });
}

export function callCompensation(run: RunContext, step: StepDefinition, http: HttpInput): Promise<Ended> {
  const id = compensationIdOf(run.runId, step.id);
  const key = compensationIdOf(run.snapshot.stepKeys[step.id] ?? run.snapshot.keyBase, step.id);
  const settings: CallSettings = step.compensate ?? {};
  return performCall(
    run,
    createCall(run, step.id, http, settings, { id, key, item: null }),
    // Nothing else is under way by then.
    { summary: `compensate ${step.id}`, isLocal: settings.delivery !== 'atMostOnce' },
  );
}

async function performCall(
  run: RunContext,
  call: StepCall,
  { summary, isLocal }: { summary: string; isLocal: boolean },
): Promise<Ended> {
  const { jobId, timeoutMs } = call;
  const regular = () => proxyActivities<Activities>({ ...regularAttempt(timeoutMs), summary }).callStep(call);
  const startAtMs = run.timers.get(jobId);
  const inTask = isLocal && timeoutMs <= LOCAL_TIMEOUT_MS && startAtMs === undefined;
  const local = async () => {
    run.isInTask = true;
    try {
      return await attemptLocally(timeoutMs, summary, (activities) => activities.callStep(call));
    } finally {
      run.isInTask = false;
    }
  };
  try {
    if (startAtMs !== undefined && !(await waitForTurn(run, startAtMs))) return rest(jobId, startAtMs);
    const ended = await attemptUntilFinal<Final>({
      first: () => (inTask ? local() : regular()),
      again: regular,
      record: (record) => durable.recordCall({ record, call }),
      waitUntil: (atMs) => waitForTurn(run, atMs),
    });
    return ended.kind === 'final' ? ended.end : rest(jobId, ended.atMs);
  } catch (error) {
    return endOfError(error);
  }
}

function rest(timer: string, atMs: number): Ended {
  return { status: 'interrupted', timer, atMs };
}

function createCall(
  run: RunContext,
  stepId: string,
  http: HttpInput,
  { retry, delivery }: CallSettings,
  { id, key, item }: { id: string; key: string; item: number | null },
): StepCall {
  const { defaults } = run.definition;
  const timeout = typeof http['timeout'] === 'string' ? http['timeout'] : (defaults?.timeout ?? DEFAULT_TIMEOUT);
  return {
    runId: run.runId,
    stepId,
    itemIndex: item,
    jobId: id,
    outboundKey: key,
    spec: {
      http: { ...http, timeout },
      retry: { ...defaults?.retry, ...retry },
      delivery: delivery ?? 'atLeastOnce',
      priority: run.snapshot.priority,
    },
    timeoutMs: parseDurationMs(timeout) ?? LOCAL_TIMEOUT_MS,
    wantsOutput: false,
  };
}
