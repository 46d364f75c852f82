// What the `retry` member may hold, and its defaults.

import { z } from 'zod';

import { parseDurationMs } from '../../contract/duration.ts';
import type { RetryPolicy } from '../../contract/job.ts';
import { retryOnSchema } from './http-schema.ts';
import { duration, integer, type MemberFault, type Members, number, withRule } from './rules.ts';

export const DEFAULT_RETRY: Readonly<RetryPolicy> = {
  maxAttempts: 5,
  initialInterval: '1s',
  backoffCoefficient: 2,
  maxInterval: '1m',
  jitter: 0.2,
  retryOn: ['network', 'timeout', 408, 425, 429, '5xx'],
  respectRetryAfter: true,
  maxRetryAfter: '1h',
};

export const retrySchema = withRule(
  z.strictObject({
    maxAttempts: integer(1, 50).optional(),
    initialInterval: duration({ minMs: 1, max: '1d' }).optional(),
    backoffCoefficient: number(1, 10).optional(),
    maxInterval: duration({ minMs: 1, max: '7d' }).optional(),
    jitter: number(0, 1).optional(),
    retryOn: retryOnSchema.optional(),
    respectRetryAfter: z.boolean().optional(),
    maxRetryAfter: duration({ minMs: 0, max: '7d' }).optional(),
  }),
  faultsOfIntervals,
);

export type RetryInput = z.infer<typeof retrySchema>;

/** Fills in what was not given. A default interval gives way where the other one, as given, would contradict it. */
export function withRetryDefaults(given: RetryInput = {}): RetryPolicy {
  const retry = { ...DEFAULT_RETRY, retryOn: [...DEFAULT_RETRY.retryOn], ...definedOf(given) };
  if (msOf(retry.maxInterval) >= msOf(retry.initialInterval)) return retry;
  if (given.maxInterval === undefined) return { ...retry, maxInterval: retry.initialInterval };
  return { ...retry, initialInterval: retry.maxInterval };
}

function definedOf(given: RetryInput): Partial<RetryPolicy> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function faultsOfIntervals({ initialInterval, maxInterval }: Members): MemberFault[] {
  if (typeof initialInterval !== 'string' || typeof maxInterval !== 'string') return [];
  // One that is no duration compares as NaN, and is named by its own rule.
  if (!(msOf(maxInterval) < msOf(initialInterval))) return [];
  return [{ path: ['maxInterval'], detail: 'Must not be shorter than initialInterval.' }];
}

function msOf(text: string): number {
  return parseDurationMs(text) ?? Number.NaN;
}
