// The error answers: per status, which codes it may carry, each with an example.
import { z } from 'zod';

import { ApiError, type Problem, type ProblemCode, PROBLEMS, toProblem } from '../problem.ts';
import { headersOf, type Node, ref } from './document.ts';
import { answerSchema, fault } from './schemas.ts';

const CODES = Object.keys(PROBLEMS) as ProblemCode[];

export const problemSchema = answerSchema<Problem>()(
  z.strictObject({
    type: z.string().meta({ description: 'A name for the kind of error; `code` is its last part.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().nullable(),
    instance: z.string().meta({ description: 'The request id, as in the header `X-Request-Id`.' }),
    code: z.enum(CODES).meta({ description: 'Stable; each has a page under docs/errors.' }),
    errors: z.array(fault).meta({ description: 'Each fault of the input, with a JSON pointer to it.' }),
  }),
);

/** Says of each status exactly which codes it comes with, so that any other code is a difference. */
export function problemResponses(codes: readonly ProblemCode[]): Node {
  const statuses = [...new Set(codes.map(statusOf))].sort();
  const known = CODES.filter((code) => codes.includes(code));
  return Object.fromEntries(
    statuses.map((status) => {
      const [first, ...others] = known.filter((code) => statusOf(code) === status);
      if (first && others.length === 0) return [status, ref('responses', first)];
      return [status, problemResponse(status, [...(first ? [first] : []), ...others])];
    }),
  );
}

export function problemExamples(): Node {
  return Object.fromEntries(CODES.map((code) => [code, { summary: PROBLEMS[code][1], value: exampleOf(code) }]));
}

/** Those that come alone under their status, by code. */
export function soleProblems(): Node {
  return Object.fromEntries(CODES.map((code) => [code, problemResponse(statusOf(code), [code])]));
}

function problemResponse(status: number, codes: ProblemCode[]): Node {
  const narrowed = { properties: { status: { const: status }, code: { enum: codes } } };
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}.`).join('\n\n'),
    headers: headersOf(status === 429 || status === 503 ? ['RetryAfter'] : []),
    content: {
      'application/problem+json': {
        schema: { allOf: [ref('schemas', 'Problem'), narrowed] },
        examples: Object.fromEntries(codes.map((code) => [code, ref('examples', code)])),
      },
    },
  };
}

function statusOf(code: ProblemCode): number {
  return PROBLEMS[code][0];
}

function exampleOf(code: ProblemCode): Problem {
  const [status] = PROBLEMS[code];
  const errors = status === 422 && EXAMPLE_FAULTS[code] ? [EXAMPLE_FAULTS[code]] : [];
  return toProblem(new ApiError(code, { errors }), REQUEST_ID);
}

const REQUEST_ID = '01994f3e-7c1a-7b52-9d0e-3f6a1c2b4d5e';

const EXAMPLE_FAULTS: Partial<Record<ProblemCode, Problem['errors'][number]>> = {
  validationFailed: { pointer: '/http/timeout', detail: 'Must be at most 10m.' },
  targetNotAllowed: { pointer: '/http/url', detail: 'The target is not allowed.' },
};
