// Ids say what they are of: here a command finds the resource behind one.
import { type Batch, type Job, type Perdure, PerdureError, type Run } from '../client/index.ts';
import { EXIT, type ExitCode } from './exit.ts';
import type { Output } from './output.ts';
import { shortTime } from './output.ts';

export type Thing = Job | Run | Batch;

interface Resource {
  get(id: string): Promise<Thing>;
  wait(id: string, options?: { limit?: string }): Promise<Thing>;
  cancel(id: string): Promise<Thing>;
}

/** What a schedule made bears the schedule's name, so only a look tells a job from a run. */
export async function onThing(
  client: Perdure,
  id: string,
  call: (resource: Resource) => Promise<Thing>,
): Promise<Thing> {
  if (id.startsWith('run_')) return call(client.runs);
  if (id.startsWith('bat_')) return call(client.batches);
  try {
    return await call(client.jobs);
  } catch (error) {
    if (id.startsWith('job_') || !(error instanceof PerdureError) || error.status !== 404) throw error;
    return await call(client.runs);
  }
}

export function succeeded(thing: Thing): boolean {
  if ('counts' in thing) return thing.status === 'finished' && thing.counts.succeeded === thing.counts.total;
  return thing.status === 'succeeded';
}

/** Shows what was waited for; one that is not final yet has not succeeded. */
export function reportOutcome(thing: Thing, out: Output, final: boolean): ExitCode {
  showThing(thing, out);
  if (!final) out.note(`It is still ${thing.status}. Wait on with: perdure wait ${thing.id}`);
  else if ('attempts' in thing && !succeeded(thing)) out.note(`See each attempt: perdure attempts ${thing.id}`);
  return succeeded(thing) ? EXIT.done : EXIT.notSucceeded;
}

export function showThing(thing: Thing, out: Output): void {
  if ('http' in thing) return out.item(thing, jobFields);
  if ('steps' in thing) return showRun(thing, out);
  out.item(thing, batchFields);
}

function jobFields(job: Job): Record<string, unknown> {
  return {
    id: job.id,
    name: job.name,
    status: job.status,
    call: `${job.http.method} ${job.http.url}`,
    attempts: job.attempts,
    'next attempt': job.nextAttemptAt && shortTime(job.nextAttemptAt),
    'run at': job.runAt && shortTime(job.runAt),
    answer: job.result && job.result.status,
    body: job.result && (job.result.body ?? job.result.bodyText ?? job.result.bodyBase64),
    error: job.error && [job.error.code, job.error.detail ?? job.error.title].join(': '),
    created: shortTime(job.createdAt),
    finished: job.finishedAt && shortTime(job.finishedAt),
  };
}

function showRun(run: Run, out: Output): void {
  out.item(run, () => ({
    id: run.id,
    workflow: run.workflow && `${run.workflow} (version ${run.version})`,
    status: run.status,
    output: run.output,
    error: run.error && [run.error.code, run.error.detail ?? run.error.title].join(': '),
    created: shortTime(run.createdAt),
    finished: run.finishedAt && shortTime(run.finishedAt),
  }));
  if (out.json) return;
  out.line('');
  const columns = [
    { title: 'STEP', value: (step: Run['steps'][number]) => step.id },
    { title: 'STATUS', value: (step: Run['steps'][number]) => step.status },
    { title: 'ATTEMPTS', value: (step: Run['steps'][number]) => step.attempts },
    { title: 'RESULT', value: (step: Run['steps'][number]) => step.error?.code ?? step.output },
  ];
  out.table(run.steps, columns, 'No steps.');
}

function batchFields(batch: Batch): Record<string, unknown> {
  return {
    id: batch.id,
    name: batch.name,
    status: batch.status,
    ...batch.counts,
    created: shortTime(batch.createdAt),
    finished: batch.finishedAt && shortTime(batch.finishedAt),
  };
}
