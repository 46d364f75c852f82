// A request that drives a run again, by its own id or by its dead letter's.
import type { Request, Response } from 'express';

import type { RunRedriveRequest } from '../jobs/runs/redrive.ts';
import { parseBySchema } from '../jobs/spec/faults.ts';
import { idempotencyKeyOf, preferredWaitMs } from './answer.ts';
import type { ApiDeps } from './deps.ts';
import { ApiError } from './problem.ts';
import { reserveWaiting } from './quota.ts';
import { createRunAnswers } from './run-answers.ts';
import { redriveRunSchema } from './schemas/run.ts';

export function createRedriveRunRoute(deps: ApiDeps) {
  const { sendMade } = createRunAnswers(deps);

  return async function sendRedriven(request: Request, response: Response, runId: string): Promise<void> {
    const key = idempotencyKeyOf(request, request.body);
    const waitMs = preferredWaitMs(request, response);
    const wanted = parse(request.body);
    await reserveWaiting(deps, response, 1, key);
    const redriven = await deps.redriveRun(response.locals.tenant, runId, wanted, key);
    switch (redriven.kind) {
      case 'created':
      case 'replayed':
        return sendMade(response, { ...redriven, kind: redriven.kind }, waitMs);
      case 'invalid':
        throw new ApiError(redriven.code, { errors: redriven.faults });
      case 'notRedrivable':
        throw new ApiError('notRedrivable', { detail: redriven.detail });
      default:
        throw new ApiError(redriven.kind === 'keyReused' ? 'idempotencyKeyReused' : redriven.kind);
    }
  };
}

function parse(body: unknown): RunRedriveRequest {
  const parsed = parseBySchema(redriveRunSchema, body);
  if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
  const { fromStep = null, patch = {}, version = null, newKey = false } = parsed.value;
  return { fromStep, patch, version, newKey };
}
