// Keeps each turn of the event loop short while many come or go at one moment.
//
// Node takes one new connection in each turn. Where a turn lasts as long as it takes to serve all who are in already, and
// they come again, whoever is at the door waits for many such turns: thirteen seconds were seen with 300 clients. So a
// turn serves a few, and only one after someone was let in: there may be others at the door.

export interface ShortTurns {
  /** Does it now or, after those before it, in one of the next turns. */
  soon(work: () => void): void;
  /** Someone was let in. */
  letIn(): void;
}

const PER_TURN = 8;

export function createShortTurns(perTurn = PER_TURN): ShortTurns {
  const waiting: (() => void)[] = [];
  let left = perTurn;
  let wasLetIn = false;
  let isNextSure = false;

  const next = (): void => {
    if (isNextSure) return;
    isNextSure = true;
    setImmediate(begin);
  };
  const begin = (): void => {
    isNextSure = false;
    left = wasLetIn ? 1 : perTurn;
    wasLetIn = false;
    const served = waiting.splice(0, left);
    left -= served.length;
    if (served.length > 0) next();
    for (const work of served) work();
  };

  return {
    soon(work) {
      next();
      if (waiting.length > 0 || left === 0) return void waiting.push(work);
      left--;
      work();
    },
    letIn() {
      wasLetIn = true;
      next();
    },
  };
}
