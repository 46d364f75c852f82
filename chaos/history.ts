// What the clients saw of the API: each call when it began, and how it ended: ok, fail, or nobody knows (info).
import { appendFileSync } from 'node:fs';

export interface Call {
  tag: string;
  key: string;
  /** `reuse`: the same key for other content, which must be refused. */
  op: 'submit' | 'reuse';
  at: number;
  /** Without the time in which the answer waited for this process and its other clients. */
  durationMs: number;
  outcome: 'ok' | 'fail' | 'info';
  /** Null when no answer came. */
  status: number | null;
  /** Of the job or run it was answered with. */
  id: string | null;
  /** The answer's `Retry-After`, or the error of a call without an answer. */
  detail: string | null;
}

export interface History {
  calls: Call[];
  /** The most by which the length of a call here may be wrong: what came while this thread was busy was seen later. */
  longestStallMs(): number;
  /** Makes the call and writes down how it ended. */
  record(about: Pick<Call, 'tag' | 'key' | 'op'>, call: () => Promise<Response>): Promise<Call>;
}

const TICK_MS = 10;

export function createHistory(file: string | null): History {
  const calls: Call[] = [];
  let longestMs = 0;
  watchOwnStall();
  const write = (line: object) => {
    if (file !== null) appendFileSync(file, `${JSON.stringify(line)}\n`);
  };
  return {
    calls,
    longestStallMs: () => longestMs,
    async record(about, makeCall) {
      const at = Date.now();
      const startedAt = performance.now();
      write({ type: 'invoke', ...about, at });
      const ended = await judged(makeCall);
      const stallMs = stalledMs();
      longestMs = Math.max(longestMs, stallMs);
      const durationMs = performance.now() - startedAt - stallMs;
      const call = { ...about, at, durationMs, ...ended };
      calls.push(call);
      write({ type: call.outcome, ...call });
      return call;
    },
  };
}

let lookedAt: number | null = null;

function watchOwnStall(): void {
  if (lookedAt === null) setInterval(() => (lookedAt = performance.now()), TICK_MS).unref();
  lookedAt ??= performance.now();
}

/** How long this thread has not looked up: hundreds of clients share it, and it shares two cores with what it judges. */
function stalledMs(): number {
  const now = performance.now();
  return Math.max(0, now - (lookedAt ?? now) - 2 * TICK_MS);
}

type Ended = Pick<Call, 'outcome' | 'status' | 'id' | 'detail'>;

async function judged(makeCall: () => Promise<Response>): Promise<Ended> {
  try {
    const response = await makeCall();
    const { status } = response;
    const body = (await response.json()) as { id?: string; code?: string };
    const retryAfter = response.headers.get('retry-after');
    if (status === 200 || status === 201) return { outcome: 'ok', status, id: body.id ?? null, detail: null };
    // After a 5xx or a 429 the request may be made again; whether it was taken, nobody knows.
    const isOver = status < 500 && status !== 429;
    const detail = isOver ? (body.code ?? null) : retryAfter;
    return { outcome: isOver ? 'fail' : 'info', status, id: null, detail };
  } catch (error) {
    return { outcome: 'info', status: null, id: null, detail: describe(error) };
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : `${error.name}: ${error.message}`;
}
