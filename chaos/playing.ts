// Plays faults one after the other or beside each other; whatever becomes of one, the next has its turn.
import { bounded } from './bounded.ts';
import { type Fault, runFault, setStage, type Stage } from './fault.ts';
import { mend } from './mend.ts';
import type { Options } from './options.ts';
import type { Progress } from './progress.ts';
import { complaintsOf, type Report, writeReport } from './report.ts';
import type { World } from './world.ts';

/** So long nobody waits for any of them; a fault may say that it needs more. */
const MOST_MINUTES = { short: 8, full: 12 };
const MENDED_WITHIN_MS = 180_000;

export interface PlayDeps {
  world: World;
  options: Options;
  report: Report;
  progress: Progress;
  closedWithinMs?: number;
  /** The whole run is ended early: none begins any more. */
  ending?: AbortSignal;
}

export function createPlay({ world, options, report, progress, closedWithinMs = 30_000, ending }: PlayDeps) {
  /** `onFacts`: it disturbs nobody any more, what is left is to be read. */
  const one = async (fault: Fault, stage?: Promise<Stage>, onFacts = () => {}): Promise<void> => {
    if (ending?.aborted) return;
    const { id, title, mostMinutes = MOST_MINUTES.full } = fault;
    progress.say(`${id} ${title} …`);
    const tellPhase = progress.begin(id);
    const minutes = options.isShort ? MOST_MINUTES.short : mostMinutes;
    const given = new AbortController();
    const set = stage ?? setStage(world, fault, options);
    const running = runFault(
      world,
      fault,
      {
        ...options,
        signal: given.signal,
        onPhase(phase, detail) {
          tellPhase(phase, detail);
          if (phase === 'facts') onFacts();
        },
      },
      set,
    );
    try {
      const result = await bounded(running, minutes * 60_000, id);
      report.results.push(result);
      progress.say(`${id} ${result.isValid ? 'valid' : 'NOT VALID'} after ${result.seconds} s`);
      const complaints = complaintsOf([result]);
      if (complaints) console.log(complaints);
    } catch (error) {
      given.abort();
      const why = error instanceof Error ? error.message : String(error);
      report.broken.push({ id, title, why });
      progress.say(`${id} BROKEN OFF: ${error instanceof Error ? error.stack : why}`);
      const closing = set.then((there) => there.close());
      await bounded(closing, closedWithinMs, `${id} to close`).catch(() => {});
    }
    progress.end(id);
    // After each: a run that is broken off has a report too.
    writeReport(options.reportFolder, report);
  };

  const isPossible = (fault: Fault): boolean => {
    const { id, title } = fault;
    const whyNot = fault.whyNot?.() ?? null;
    if (whyNot === null) return true;
    progress.say(`${id} NOT RUN: ${whyNot}`);
    report.notRun.push({ id, title, whyNot });
    return false;
  };

  /** One after the other, as long as there is one to take. */
  const lane = async (take: () => Fault | undefined): Promise<void> => {
    for (let fault = take(); fault; fault = take()) if (isPossible(fault)) await one(fault);
  };

  return {
    /** The processes of the next start while the one before is being judged. */
    async oneByOne(faults: Fault[]): Promise<void> {
      const waiting = faults.filter(isPossible);
      let ahead: Promise<Stage> | undefined;
      for (let fault = waiting.shift(); fault; fault = waiting.shift()) {
        const stage = ahead;
        ahead = undefined;
        const known = report.broken.length;
        const [next] = waiting;
        const begin = () => {
          if (!next) return;
          ahead = setStage(world, next, options);
          ahead.catch(() => {});
        };
        await one(fault, stage, begin);
        if (report.broken.length > known) {
          const mending = bounded(mend(world), MENDED_WITHIN_MS, 'to mend the stores');
          await mending.catch((error: unknown) => progress.say(String(error)));
        }
      }
    },

    lane,
  };
}
