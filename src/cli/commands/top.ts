// `perdure top`: workers, queues and jobs at a glance, drawn again and again.
import { type Job, type JobStatus, type Perdure, PerdureError, type Queue, type Worker } from '../../client/index.ts';
import { sleep } from '../../client/sleep.ts';
import { defineCommand } from '../command.ts';
import { parseDuration } from '../input.ts';
import type { Io } from '../io.ts';
import { createOutput, type Output } from '../output.ts';
import { jobColumns } from './list.ts';
import { queueColumns } from './queues.ts';
import { workerColumns } from './workers.ts';

const COUNTED: JobStatus[] = ['scheduled', 'blocked', 'queued', 'running', 'retrying'];
const MAX_COUNT = 200;
const MIN_INTERVAL_MS = 200;
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H\x1b[J';

interface Snapshot {
  who: string;
  counts: Record<string, string>;
  queues: Queue[];
  workers: Worker[];
  jobs: Job[];
}

export const top = defineCommand({
  name: 'top',
  summary: 'Watch workers, queues and jobs live; Ctrl-C ends it',
  options: {
    interval: { type: 'string', value: '2s', about: 'how often it looks' },
    once: { type: 'boolean', about: 'print it once (as without a terminal)' },
  },
  async action({ values, io, out, client, connection }) {
    const intervalMs = Math.max(MIN_INTERVAL_MS, parseDuration(values.interval ?? '2s', '--interval'));
    if (values.once || out.json || !io.stdout.isTTY) {
      const snapshot = await look(client);
      if (out.json) return out.item(snapshot, () => ({}));
      return draw(snapshot, connection.url, out);
    }
    const ended = new AbortController();
    const takeOff = io.onSignal('SIGINT', () => ended.abort());
    io.stdout.write(ENTER);
    try {
      while (!ended.signal.aborted) {
        io.stdout.write(HOME + (await frame(client, connection.url, io, ended.signal)));
        await sleep(intervalMs, ended.signal);
      }
    } catch (error) {
      if (!ended.signal.aborted) throw error;
    } finally {
      io.stdout.write(LEAVE);
      takeOff();
    }
  },
});

// A service that is away is something to see; a refusal would only be repeated, so it ends the view.
async function frame(client: Perdure, url: string, io: Io, signal: AbortSignal): Promise<string> {
  const lines: string[] = [];
  const screen = { ...io, stdout: { ...sizeOf(io), write: (text: string) => lines.push(text) } };
  try {
    draw(await look(client, signal), url, createOutput(screen, false));
  } catch (error) {
    if (!(error instanceof PerdureError) || (error.status >= 400 && error.status < 500)) throw error;
    lines.push(`${url}: ${error.message}\n`);
  }
  const rows = lines.join('').split('\n');
  return rows.slice(0, (io.stdout.rows ?? 50) - 1).join('\n');
}

function sizeOf(io: Io) {
  return { isTTY: io.stdout.isTTY, columns: io.stdout.columns };
}

async function look(client: Perdure, signal?: AbortSignal): Promise<Snapshot> {
  const [who, workers, queues, jobs, dead, ...pages] = await Promise.all([
    client.whoami({ signal }),
    client.workers.list({}, { signal }).page(),
    client.queues.list({}, { signal }).page(),
    client.jobs.list({ limit: 15 }, { signal }).page(),
    client.deadLetters.list({ redriven: false, limit: MAX_COUNT }, { signal }).page(),
    ...COUNTED.map((status) => client.jobs.list({ status, limit: MAX_COUNT }, { signal }).page()),
  ]);
  const counts = Object.fromEntries(COUNTED.map((status, at) => [status, countOf(pages[at])]));
  return {
    who: `${who.subject}@${who.tenant}`,
    counts: { ...counts, 'dead letters': countOf(dead) },
    queues: queues.items,
    workers: workers.items,
    jobs: jobs.items,
  };
}

function countOf(page: { items: unknown[]; nextCursor: string | null } | undefined): string {
  return `${page?.items.length ?? 0}${page?.nextCursor ? '+' : ''}`;
}

function draw({ who, counts, queues, workers, jobs }: Snapshot, url: string, out: Output): void {
  out.line(`${out.paint('Perdure', 'bold')}  ${url}  ${who}  ${new Date().toISOString().slice(11, 19)}Z`);
  out.line(
    Object.entries(counts)
      .map(([name, count]) => `${name} ${out.paint(count, 'bold')}`)
      .join('   '),
  );
  out.line('');
  out.table(workers, workerColumns, 'No workers: jobs are accepted but do not run.');
  out.line('');
  out.table(queues, queueColumns, 'No queues.');
  out.line('');
  out.table(jobs, jobColumns, 'No jobs yet.');
}
