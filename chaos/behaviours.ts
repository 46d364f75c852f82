// How the target may answer: well, slowly, with an error, or not at all; told in the path of each call.
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { PlannedStep } from './plan.ts';

/**
 * What a caller can know: `ok`, an error that may pass (`answered`), one that will not (`rejected`), nothing at all
 * (`unknown`), or an answer after which also an at-most-once call may be made again (`refused`).
 */
export type Effect = 'ok' | 'answered' | 'rejected' | 'unknown' | 'refused';

interface Behaviour {
  effect: Effect;
  /** `amount`: milliseconds for `slow`. */
  act(request: IncomingMessage, response: ServerResponse, amount: number): void;
}

const ok = (response: ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
const status = (code: number, headers: Record<string, string> = {}): Behaviour['act'] => {
  return (_request, response) => void response.writeHead(code, headers).end();
};
const raw = (text: string): Behaviour['act'] => {
  return (request) => void request.socket.end(text);
};

const BEHAVIOURS = {
  well: { effect: 'ok', act: (_request, response) => ok(response) },
  slow: { effect: 'ok', act: (_request, response, ms) => void setTimeout(() => ok(response), ms) },
  /** Many interim answers before the real one. */
  interim: {
    effect: 'ok',
    act(_request, response) {
      for (let n = 0; n < 20; n++) response.writeProcessing();
      ok(response);
    },
  },
  /** The status line decides, also when the body never ends. */
  headersThenDie: {
    effect: 'ok',
    act(request, response) {
      response.writeHead(200, { 'content-length': '100' });
      // Not by a reset, which may overtake what was written before it.
      response.write('half', () => request.socket.end());
    },
  },
  drip: {
    effect: 'ok',
    act(_request, response) {
      response.writeHead(200, { 'content-length': '200' });
      for (let n = 0; n < 20; n++) setTimeout(() => response.write('0123456789'), n * 20);
      // Not ended, it would stand before every later answer on its connection.
      setTimeout(() => response.end(), 400);
    },
  },
  status500: { effect: 'answered', act: status(500) },
  status503: { effect: 'answered', act: status(503) },
  /** Says how long to wait (RETRY_AFTER_MS). */
  unavailable: { effect: 'answered', act: status(503, { 'retry-after': '2' }) },
  busy: { effect: 'refused', act: status(429, { 'retry-after': '1' }) },
  tooLarge: { effect: 'rejected', act: status(413) },
  fin: { effect: 'unknown', act: (request) => void request.socket.end() },
  rst: { effect: 'unknown', act: (request) => void request.socket.resetAndDestroy() },
  garbage: { effect: 'unknown', act: raw('this is no HTTP\r\n\r\n') },
  hang: { effect: 'unknown', act: () => {} },
} as const satisfies Record<string, Behaviour>;

export const RETRY_AFTER_MS: Partial<Record<BehaviourName, number>> = { unavailable: 2_000, busy: 1_000 };

export type BehaviourName = keyof typeof BEHAVIOURS;

export function behaviour(name: BehaviourName): Behaviour {
  return BEHAVIOURS[name];
}

/**
 * Whether this call of a step, counted from 1, is answered well where `times` go wrong before. Who rejects, rejects also
 * the repetition of one whose answer was lost.
 */
export function answersWell(name: BehaviourName, nth: number, times: number): boolean {
  const { effect } = behaviour(name);
  return effect === 'ok' || (effect !== 'rejected' && nth > times);
}

export function isBehaviour(name: string): name is BehaviourName {
  return name in BEHAVIOURS;
}

export function behaviourPath(tag: string, step: string, { behaviour: name, times }: PlannedStep): string {
  return `/${tag}/${step}/${name}/${times}`;
}
