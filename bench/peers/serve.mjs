// What all peers have in common: the call they make, how the end of a job is noticed, and the orders of the harness.
import pg from 'pg';
import { request } from 'undici';

const { RECEIVER_URL = '', KEEP_ANSWERS } = process.env;

/** How many calls a peer may have under way: as many as a batch of ours in the same run. */
export const CONCURRENCY = 100;
export const { DATABASE_URL = '' } = process.env;

/** What a task of a queue that keeps no answer has to do for itself. */
const answers = KEEP_ANSWERS ? await tableOfAnswers() : null;

async function tableOfAnswers() {
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
  await pool.query(
    `create table if not exists answers (
       id bigint generated always as identity primary key, job bigint not null, status integer not null,
       answer jsonb not null, answered_at timestamptz not null default now())`,
  );
  return pool;
}

function keep(n, status, answer) {
  const text = 'insert into answers (job, status, answer) values ($1, $2, $3)';
  return answers.query({ name: 'keep', text, values: [n, status, answer] });
}

let done = 0;
let wanted = Infinity;
let onDone = () => {};

/** The work of every job: the same as everyone's. */
export async function call(n) {
  const { statusCode, body } = await request(`${RECEIVER_URL}/${n}`);
  if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
  const answer = await body.text();
  if (answers) await keep(n, statusCode, answer);
  return answer;
}

/** Call when the store of the peer knows that a job has ended, or as near to it as the peer lets one see. */
export function ended(count = 1) {
  done += count;
  if (done >= wanted) onDone();
}

/**
 * `submit(n)` hands over one job, `submitMany(ns)` many at once; `settle` resolves when the store holds nothing open.
 */
export function serve({ submit, submitMany = null, settle = async () => {}, usesPostgres = true }) {
  const expecting = (count) =>
    new Promise((resolve) => {
      done = 0;
      wanted = count;
      onDone = resolve;
    });
  const timed = async (work) => {
    const startedAt = performance.now();
    await work();
    return performance.now() - startedAt;
  };

  const singles = async (count, submitters) => {
    const all = expecting(count);
    let next = 0;
    const lane = async () => {
      for (let n = next++; n < count; n = next++) await submit(n);
    };
    await Promise.all(Array.from({ length: submitters }, lane));
    await all;
    await settle();
  };

  const oneByOne = async (count) => {
    const timesMs = [];
    for (let n = 0; n < count; n++) {
      const ended = expecting(1);
      timesMs.push(
        await timed(async () => {
          await submit(n);
          await ended;
        }),
      );
    }
    return { ms: timesMs.reduce((sum, one) => sum + one, 0), timesMs };
  };

  const bulk = async (count) => {
    const all = expecting(count);
    await submitMany(Array.from({ length: count }, (_job, n) => n));
    await all;
    await settle();
  };

  const run = async ({ suite, count, submitters }) => {
    if (suite === 'latency') return oneByOne(count);
    return { ms: await timed(() => (suite === 'batch' ? bulk(count) : singles(count, submitters))) };
  };

  process.on('message', ({ id, order }) => {
    run(order).then(
      (answer) => process.send({ id, answer }),
      (error) => process.send({ id, error: error.stack }),
    );
  });
  process.on('disconnect', () => process.exit(1));
  // Single posts stand beside those of our shared lane.
  const suites = ['latency', 'shared', ...(submitMany ? ['batch'] : [])];
  process.send({ id: 0, answer: { suites, usesPostgres } });
}
