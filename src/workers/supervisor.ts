// Lets the engine run or not, as ordered: at most one takes work, and any number end their calls.
import type { Orders } from '../db/workers.ts';
import type { Engine } from './engine.ts';

export interface Supervisor {
  /** True when that changed anything. Rejects when an engine is wanted and cannot be had: to be tried again. */
  follow(orders: Orders): Promise<boolean>;
  isServing(): boolean;
  used(): { activities: number; workflows: number };
  /** Takes nothing new, for good; resolves when all calls have ended. */
  end(): Promise<void>;
  /** Rejects when an engine fails for good. */
  failed: Promise<never>;
  fail: (error: unknown) => void;
}

export function createSupervisor(startEngine: () => Promise<Engine>): Supervisor {
  let serving: Engine | null = null;
  let ended = false;
  const retiring = new Map<Engine, Promise<void>>();
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => (fail = reject));
  // Heard by whoever awaits it; until then its rejection is not unhandled.
  failed.catch(() => {});
  let turn = Promise.resolve();

  /** An engine takes a while to start: orders wait for the one before. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.then(
      () => {},
      () => {},
    );
    return done;
  };

  const start = async () => {
    serving = await startEngine();
    serving.failed.catch(fail);
  };

  const retire = async (engine: Engine) => {
    serving = null;
    const ended = engine.ended.finally(() => retiring.delete(engine));
    // A failure is heard of through `failed`.
    ended.catch(() => {});
    retiring.set(engine, ended);
    await engine.retire();
  };

  return {
    follow: (orders) =>
      inTurn(async () => {
        const mayServe = !ended && !orders.paused && !orders.queuePaused && !orders.drain;
        if (mayServe === (serving !== null)) return false;
        if (serving) await retire(serving);
        else await start();
        return true;
      }),
    isServing: () => serving !== null,
    used() {
      const all = [...(serving ? [serving] : []), ...retiring.keys()].map((engine) => engine.used());
      return all.reduce(
        (sum, { activities, workflows }) => ({
          activities: sum.activities + activities,
          workflows: sum.workflows + workflows,
        }),
        { activities: 0, workflows: 0 },
      );
    },
    end: () =>
      inTurn(async () => {
        ended = true;
        if (serving) await retire(serving);
        await Promise.all(retiring.values());
      }),
    failed,
    fail,
  };
}
