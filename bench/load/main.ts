// Puts a load on a running instance: npm run load -- --profile mixed|burst|steady|flaky --jobs N --seconds S.
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';

import { Perdure, PerdureError } from '../../src/client/index.ts';
import { type LoadContext } from './actions.ts';
import { drive, type Driven } from './drive.ts';
import { setUp } from './fixtures.ts';
import { type Profile, type ProfileName, PROFILES } from './profiles.ts';
import { summarize, summaryText, waitUntilFinal } from './summary.ts';
import { startTarget, type Target } from './target.ts';

const MAX_JOBS = 1_000_000;
const MAX_SECONDS = 3_600;
const USAGE = `npm run load -- [--profile ${Object.keys(PROFILES).join('|')}] [--jobs N] [--seconds S]
  --profile   mixed by default: jobs, batches, schedules, workflows, dependants, cancels, duplicates
  --jobs      how many at most (1000)
  --seconds   how long at most, without the wait for the last ones (30)
  --wait      how long to wait for the last ones (60)
  --url       of the instance (http://127.0.0.1:8080)
  --token     where authentication is on
  --target-host  the name by which the instance reaches this machine (127.0.0.1)`;

interface Options {
  profile: ProfileName;
  jobs: number;
  seconds: number;
  waitSeconds: number;
  url: string;
  token: string | undefined;
  targetHost: string | undefined;
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: string[]): Promise<number> {
  const options = parseOptions(argv);
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${USAGE}\n`);
    return 2;
  }
  const target = await startTarget(options.targetHost);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  try {
    return await load(options, target, stop.signal);
  } catch (error) {
    if (!(error instanceof PerdureError)) throw error;
    process.stderr.write(`${options.url}: ${error.message}\n`);
    return 1;
  } finally {
    await target.stop();
  }
}

async function load(options: Options, target: Target, signal: AbortSignal): Promise<number> {
  const { url, token, seconds, jobs } = options;
  const perdure = new Perdure({ baseUrl: url, ...(token === undefined ? {} : { token }) });
  const loadId = `load-${randomUUID().slice(0, 8)}`;
  const context: LoadContext = { perdure, target, loadId };
  const profile: Profile = PROFILES[options.profile];
  const driven: Driven = { jobs: 0, actions: 0, errors: new Map(), firstError: null };
  say(`${options.profile}: at most ${jobs} jobs in ${seconds} s on ${url}, label load:${loadId}`);

  const stopProgress = showProgress(driven, target);
  let tearDown = async () => {};
  try {
    if (profile.fixtures) tearDown = await setUp(context);
    await drive(context, profile, { jobs, seconds, signal }, driven);
  } finally {
    await tearDown();
    stopProgress();
  }
  const label = `load:${loadId}` as const;
  const isDone = await waitUntilFinal(perdure, label, signal.aborted ? 0 : options.waitSeconds * 1_000);
  const errors = [...driven.errors].map(([code, count]) => `${count} ${code}`);
  say(`Submitted     ${driven.jobs} in ${driven.actions} actions; refused: ${errors.join(', ') || 'none'}`);
  say(`Calls         ${target.calls()} at the target`);
  say(summaryText(await summarize(perdure, label)));
  if (driven.errors.has('targetNotAllowed')) {
    say('The instance may not call this machine: PERDURE_EGRESS=any allows it.');
  } else if (driven.firstError !== null) say(`The first error: ${driven.firstError}`);
  if (!isDone) say(`Not all jobs were final after ${options.waitSeconds} s.`);
  return isDone && driven.errors.size === 0 ? 0 : 1;
}

function parseOptions(argv: string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        profile: { type: 'string', default: 'mixed' },
        jobs: { type: 'string', default: '1000' },
        seconds: { type: 'string', default: '30' },
        wait: { type: 'string', default: '60' },
        url: { type: 'string', default: 'http://127.0.0.1:8080' },
        token: { type: 'string' },
        'target-host': { type: 'string' },
      },
    });
    if (!(values.profile in PROFILES)) return `There is no profile "${values.profile}".`;
    return {
      profile: values.profile as ProfileName,
      jobs: bounded('jobs', values.jobs, MAX_JOBS),
      seconds: bounded('seconds', values.seconds, MAX_SECONDS),
      waitSeconds: bounded('wait', values.wait, MAX_SECONDS),
      url: values.url,
      token: values.token,
      targetHost: values['target-host'],
    };
  } catch (error) {
    return (error as Error).message;
  }
}

function bounded(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) throw new Error(`--${name} is a number from 1 to ${max}.`);
  return value;
}

/** On a terminal one line that changes, elsewhere a line now and then. */
function showProgress(driven: Driven, target: Target): () => void {
  const startedAt = performance.now();
  const isTerminal = process.stdout.isTTY;
  const timer = setInterval(
    () => {
      const seconds = (performance.now() - startedAt) / 1_000;
      const errors = [...driven.errors.values()].reduce((sum, count) => sum + count, 0);
      const line =
        `${seconds.toFixed(0).padStart(4)} s  ${driven.jobs} accepted (${(driven.jobs / seconds).toFixed(0)}/s)` +
        `  ${target.calls()} calls  ${errors} refused`;
      process.stdout.write(isTerminal ? `\r${line}  ` : `${line}\n`);
    },
    isTerminal ? 500 : 5_000,
  );
  return () => {
    clearInterval(timer);
    if (isTerminal) process.stdout.write('\n');
  };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
