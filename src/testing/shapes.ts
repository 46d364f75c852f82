// Random shapes of steps: the workflow they make, and what must hold of a run of it whatever happened meanwhile.
import fc from 'fast-check';
import { expect } from 'vitest';

import type { Json } from './api.ts';
import type { Received, Receiver } from './receiver.ts';
import { JSON_ANSWER, unique } from './runs.ts';

/** For each step the earlier steps it uses, and whether its condition holds. */
export type Shape = { uses: number[]; runs: boolean }[];

export function shapesOf(steps: number): fc.Arbitrary<Shape> {
  const step = fc.record({ uses: fc.array(fc.nat(), { maxLength: 3 }), runs: fc.boolean() });
  return fc.array(step, { minLength: steps, maxLength: steps }).map((drawn) =>
    drawn.map(({ uses, runs }, index) => ({
      uses: index === 0 ? [] : [...new Set(uses.map((use) => use % index))],
      // One in ten is skipped itself, and so is what needs it: about half of all.
      runs: runs || index % 5 !== 0,
    })),
  );
}

interface Call {
  startedAt: number;
  endedAt: number;
  key: string;
  body: Json;
}

export interface ShapeUnderTest {
  definition: Json;
  /** Throws where a step ran that should not, started too early, or got something else than what it uses. */
  check(run: Json): { steps: number; resent: number };
}

/** `mayResend`: a call whose worker was killed is sent again, under the same key. */
export function underTest(shape: Shape, receiver: Receiver, { mayResend = false } = {}): ShapeUnderTest {
  const path = unique('/shape');
  const calls = new Map<number, Call[]>();
  receiver.on(`${path}/`, ({ path: full, body, headers, at }: Received, response) => {
    const index = Number(full.split('/').at(-1));
    const call = { startedAt: at, endedAt: Infinity, key: String(headers['idempotency-key']), body: JSON.parse(body) };
    calls.set(index, [...(calls.get(index) ?? []), call]);
    setTimeout(() => {
      call.endedAt = Date.now();
      response.writeHead(200, JSON_ANSWER).end(JSON.stringify({ n: index, sum: (call.body as number[]).length }));
    }, index % 7);
  });
  return {
    definition: {
      steps: shape.map(({ uses, runs }, index) => ({
        id: `s${index}`,
        if: runs ? 'true' : 'false',
        http: {
          method: 'POST',
          url: `${receiver.url}${path}/${index}`,
          body: uses.map((use) => `\${ steps.s${use}.output.n }`),
          timeout: '5s',
        },
      })),
    },
    check(run) {
      expect(run.status, JSON.stringify(run.error)).toBe('succeeded');
      // Who needs the output of a skipped step is skipped too.
      const isRun: boolean[] = [];
      for (const { uses, runs } of shape) isRun.push(runs && uses.every((use) => isRun[use]));
      expect(run.steps.map((step: Json) => step.status)).toEqual(isRun.map((ran) => (ran ? 'succeeded' : 'skipped')));
      expect([...calls.keys()].sort((a, b) => a - b)).toEqual(isRun.flatMap((ran, index) => (ran ? [index] : [])));
      let resent = 0;
      for (const [index, sent] of calls) {
        const uses = shape[index]?.uses ?? [];
        const available = Math.max(0, ...uses.flatMap((use) => calls.get(use)?.map(({ endedAt }) => endedAt) ?? []));
        resent += sent.length - 1;
        expect(new Set(sent.map(({ key }) => key))).toEqual(new Set([`${run.id}/s${index}`]));
        for (const { body, startedAt } of sent) {
          expect(body).toEqual(uses);
          expect(startedAt, `s${index} before what it uses`).toBeGreaterThanOrEqual(available);
        }
      }
      if (!mayResend) expect(resent).toBe(0);
      return { steps: calls.size, resent };
    },
  };
}
