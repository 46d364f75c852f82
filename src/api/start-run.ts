// A request that starts a run, of a stored workflow or of a definition in the body: checked, accepted, answered.
import type { Request, Response } from 'express';

import { currentTime } from '../clock.ts';
import type { FieldFault } from '../contract/problem.ts';
import type { IdempotencyKey } from '../jobs/accept.ts';
import { replayOf } from '../jobs/once.ts';
import { inputFaults } from '../jobs/runs/definition.ts';
import type { WorkflowDefinition } from '../language/definition.ts';
import type { Plan } from '../language/plan.ts';
import { idempotencyKeyOf, preferredWaitMs } from './answer.ts';
import type { ApiDeps } from './deps.ts';
import { ApiError } from './problem.ts';
import { reserveWaiting } from './quota.ts';
import { createRunAnswers } from './run-answers.ts';
import { type inlineSchema, parseRunStart, type RunStart, type startSchema } from './schemas/run.ts';

export interface RunSource {
  workflow: string | null;
  version: number | null;
  definition: WorkflowDefinition;
  plan: Plan;
}

export type FindSource = (start: RunStart) => Promise<RunSource>;

export function createStartRun(deps: ApiDeps) {
  const { db, acceptRun, metrics } = deps;
  const { sendMade } = createRunAnswers(deps);

  return async function startRun(
    request: Request,
    response: Response,
    schema: typeof startSchema | typeof inlineSchema,
    findSource: FindSource,
  ): Promise<void> {
    const { tenant, within } = response.locals;
    const key = idempotencyKeyOf(request, request.body);
    const waitMs = preferredWaitMs(request, response);
    const now = currentTime();
    const submission = await prepare(request, schema, findSource, now).catch(async (error: unknown) => {
      // What was valid when it was first sent is still answered as it was then.
      const replayed = key && error instanceof ApiError ? await replay(tenant, key) : null;
      if (replayed) return replayed;
      throw error;
    });
    if ('answer' in submission) return sendMade(response, { ...submission, runId: submission.id }, waitMs);
    await within(reserveWaiting(deps, response, 1, key));
    const { traceParent } = response.locals;
    const accepted = await within(acceptRun({ ...submission, tenant, traceParent, now }, key));
    if (accepted.kind === 'keyReused') throw new ApiError('idempotencyKeyReused');
    const runId = accepted.kind === 'created' ? accepted.run.id : accepted.id;
    await sendMade(response, { kind: accepted.kind, runId, answer: accepted.answer }, waitMs);
  };

  async function replay(tenant: string, key: IdempotencyKey) {
    const replayed = await replayOf(db, tenant, key);
    if (replayed) metrics.duplicates.inc({ kind: replayed.kind });
    if (replayed?.kind === 'keyReused') throw new ApiError('idempotencyKeyReused');
    return replayed;
  }
}

async function prepare(
  request: Request,
  schema: typeof startSchema | typeof inlineSchema,
  findSource: FindSource,
  now: Date,
) {
  const parsed = parseRunStart(schema, request.body, now);
  if (!parsed.ok) throw invalid(parsed.faults);
  const { input, labels, runAt, deadline, priority } = parsed.value;
  const source = await findSource(parsed.value);
  const faults = inputFaults(source.definition, input, '/input');
  if (faults.length > 0) throw invalid(faults);
  return {
    ...source,
    keepDefinition: source.workflow === null,
    ...{ input, labels, runAt, deadline },
    ...(priority === undefined ? {} : { priority }),
  };
}

function invalid(errors: FieldFault[]): ApiError {
  return new ApiError('validationFailed', { errors });
}
