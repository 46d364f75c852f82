// What time it is for everybody: PostgreSQL's, where the clock of this machine is wrong. Timers and timeouts do not ask.
import type { Queryable } from './db/pool.ts';

const LOOK_EVERY_MS = 30_000;
const SAMPLES = 3;
/** Clocks that agree so far are left alone: nobody measures better than the way to PostgreSQL takes. */
const BELIEVED_MS = 500;

let aheadMs = 0;

export function currentMs(): number {
  return Date.now() - aheadMs;
}

export function currentTime(): Date {
  return new Date(currentMs());
}

interface Sample {
  askedAt: number;
  answeredAt: number;
  serverMs: number;
}

/**
 * How far this clock is ahead, by the fastest of these answers; 0 where it may as well be right. As if the way back had
 * taken no time: so nothing is made at a time that PostgreSQL, which says when it begins and ends, has yet to reach.
 */
export function aheadBy(samples: Sample[]): number {
  const [best] = samples.toSorted((a, b) => tookMs(a) - tookMs(b));
  if (!best) return 0;
  const ahead = best.answeredAt - best.serverMs;
  return Math.abs(ahead) <= BELIEVED_MS + tookMs(best) ? 0 : Math.ceil(ahead);
}

function tookMs({ askedAt, answeredAt }: Sample): number {
  return answeredAt - askedAt;
}

/** Resolves when it has looked once; a store that is away says nothing, and what was known holds. */
export async function startClock(
  db: Queryable,
  { onWrong, onError }: { onWrong: (aheadMs: number) => void; onError: (error: unknown) => void },
): Promise<() => void> {
  const look = async () => {
    try {
      const samples: Sample[] = [];
      for (let n = 0; n < SAMPLES; n++) samples.push(await ask(db));
      const ahead = aheadBy(samples);
      if (ahead !== 0 && aheadMs === 0) onWrong(ahead);
      aheadMs = ahead;
    } catch (error) {
      onError(error);
    }
  };
  await look();
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

async function ask(db: Queryable): Promise<Sample> {
  const askedAt = Date.now();
  const [row] = await db.query<{ ms: number }>(`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`);
  return { askedAt, answeredAt: Date.now(), serverMs: row?.ms ?? askedAt };
}
