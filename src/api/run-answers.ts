// What the routes that make or read runs have in common: finding one, waiting for its end, answering with it.
import type { Response } from 'express';

import { isFinalRun } from '../contract/run.ts';
import { findRun, type RunRow } from '../db/runs.ts';
import { runViews } from '../jobs/runs/view.ts';
import { sendJson, sendText } from './answer.ts';
import type { ApiDeps } from './deps.ts';
import { ApiError } from './problem.ts';

export interface MadeRun {
  kind: 'created' | 'replayed';
  runId: string;
  answer: string;
}

export function createRunAnswers({ db, waitUntilFinal, view }: Pick<ApiDeps, 'db' | 'waitUntilFinal' | 'view'>) {
  const find = async (tenant: string, id: string): Promise<RunRow> => {
    const run = await findRun(db, tenant, id);
    if (!run) throw new ApiError('notFound');
    return run;
  };

  const waitFor = async (tenant: string, id: string, waitMs: number): Promise<RunRow> => {
    const run = await find(tenant, id);
    if (isFinalRun(run.status) || waitMs === 0) return run;
    await waitUntilFinal(id, waitMs);
    return find(tenant, id);
  };

  const send = async (response: Response, status: number, run: RunRow): Promise<void> => {
    const [shown] = await runViews(db, [run], view);
    sendJson(response, status, shown);
  };

  /** The first answer to the byte, or, where the client waits, the run as it then is. */
  const sendMade = async (
    response: Response,
    { kind, runId, answer }: MadeRun,
    waitMs: number | null,
  ): Promise<void> => {
    const status = kind === 'created' ? 201 : 200;
    if (kind === 'replayed') response.set('Idempotency-Replayed', 'true');
    response.location(`/v1/runs/${encodeURIComponent(runId)}`);
    if (waitMs === null) return sendText(response, status, answer);
    await send(response, status, await waitFor(response.locals.tenant, runId, waitMs));
  };

  return { find, waitFor, send, sendMade };
}
