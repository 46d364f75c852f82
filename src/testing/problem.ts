// The shape every refusal has, whatever was wrong.
import { expect } from 'vitest';

import type { Answer, Json } from './api.ts';

/** A 4xx as problem+json, complete, and with the id of the request. */
export function expectProblem({ status, headers, body }: Answer<Json>): void {
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toEqual({
    type: expect.stringMatching(/^(urn|https?):/),
    title: expect.stringMatching(/./),
    status,
    detail: expect.toSatisfy((detail) => detail === null || typeof detail === 'string'),
    instance: headers.get('x-request-id'),
    code: expect.stringMatching(/^[a-z][A-Za-z]+$/),
    errors: expect.any(Array),
  });
  for (const error of body.errors) expect(error).toEqual({ pointer: expect.any(String), detail: expect.any(String) });
}
