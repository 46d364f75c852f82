// Reads what there is at the end: rows and dead letters as users see them, workflows from Temporal, the oracle's lines.
import { setTimeout as sleep } from 'node:timers/promises';

import { Client, Connection } from '@temporalio/client';

import { eventually } from '../src/testing/api.ts';
import type { Facts, Letter, Row } from './checker.ts';
import type { Ground } from './ground.ts';
import type { World } from './world.ts';

const OPEN_JOBS = ['scheduled', 'blocked', 'queued', 'running', 'retrying'] as const;
const OPEN_RUNS = ['scheduled', 'queued', 'running', 'waiting', 'paused'] as const;
const VISIBILITY_LAG_MS = 30_000;
/** Each look is a load on what is looked at. */
const LOOK_AGAIN_MS = 200;

/** False when something was still open at the end of the wait. */
export async function drain({ perdure }: Ground, timeoutMs: number): Promise<boolean> {
  const isEmpty = async () => {
    for await (const _job of perdure.jobs.list({ status: [...OPEN_JOBS], limit: 1 })) return false;
    for await (const _run of perdure.runs.list({ status: [...OPEN_RUNS], limit: 1 })) return false;
    return true;
  };
  const endsAt = Date.now() + timeoutMs;
  for (;;) {
    // One that does not answer in time is asked again: what it did not say is not known to be final.
    if (await isEmpty().catch(() => false)) return true;
    if (Date.now() > endsAt) return false;
    await sleep(LOOK_AGAIN_MS);
  }
}

export async function readRows({ perdure }: Ground): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const job of perdure.jobs.list({ limit: 200 })) rows.push(rowOf('job', job));
  for await (const run of perdure.runs.list({ limit: 200 })) rows.push(rowOf('run', run));
  return rows;
}

export async function readLetters({ perdure }: Ground): Promise<Letter[]> {
  const letters: Letter[] = [];
  for await (const { jobId, runId, reason } of perdure.deadLetters.list({ limit: 200 })) {
    letters.push({ subject: jobId ?? runId ?? '', reason });
  }
  return letters;
}

/** Once none of them runs any more, or the wait is over. */
export async function readWorkflows(world: World, { taskQueue }: Ground): Promise<Facts['workflows']> {
  const connection = await Connection.connect({ address: world.temporal.address });
  try {
    const client = new Client({ connection });
    const list = async () => {
      const workflows = new Map<string, string>();
      for await (const { workflowId, status } of client.workflow.list({ query: `TaskQueue = '${taskQueue}'` })) {
        // The newest run comes first.
        if (!workflows.has(workflowId)) workflows.set(workflowId, status.name);
      }
      return workflows;
    };
    const isQuiet = async () => {
      const { count } = await client.workflow.count(`TaskQueue = '${taskQueue}' and ExecutionStatus = 'Running'`);
      return count === 0;
    };
    await eventually(isQuiet, { timeoutMs: VISIBILITY_LAG_MS }).catch(() => false);
    return await list();
  } finally {
    await connection.close();
  }
}

function rowOf(
  kind: Row['kind'],
  thing: {
    id: string;
    status: string;
    labels: Record<string, string>;
    createdAt: string;
    startedAt: string | null;
    finishedAt: string | null;
  },
): Row {
  const timeOf = (text: string | null) => (text === null ? null : Date.parse(text));
  const { id, status, labels, createdAt, startedAt, finishedAt } = thing;
  return {
    id,
    kind,
    status,
    tag: labels.tag ?? '',
    createdAt: Date.parse(createdAt),
    startedAt: timeOf(startedAt),
    finishedAt: timeOf(finishedAt),
  };
}
