// What may be set at run time, and which values are right, there as in the environment.
import { z } from 'zod';

import { parseDurationMs } from '../../contract/duration.ts';
import { type EgressPolicy, parseEgress } from '../http/egress.ts';
import { duration } from '../spec/rules.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const MAX_CONCURRENCY = 5_000;

const HOUR_MS = 3_600_000;
/** As much of an answer as a job keeps, and as long as a call may take, at most. */
export const DEFAULT_HTTP_LIMITS = { maxResponseBytes: 65_536, maxTimeout: '10m' } as const;

export const concurrencyRule = z.int().min(1).max(MAX_CONCURRENCY);
export const logLevelRule = z.enum(LOG_LEVELS);
export const egressRule = z
  .string()
  .max(4_000)
  .superRefine((text, context) => {
    try {
      parseEgress(text);
    } catch (error) {
      context.addIssue((error as Error).message);
    }
  });
export const retentionRule = duration({ minMs: HOUR_MS, max: '3650d' });

const httpLimits = z.strictObject({
  maxResponseBytes: z.int().min(0).max(DEFAULT_HTTP_LIMITS.maxResponseBytes).nullable().optional(),
  maxTimeout: duration({ minMs: 100, max: DEFAULT_HTTP_LIMITS.maxTimeout }).nullable().optional(),
});

/** A merge patch: null gives a setting back to the environment. */
export const settingsPatch = z.strictObject({
  concurrency: concurrencyRule.nullable().optional(),
  logLevel: logLevelRule.nullable().optional(),
  egress: egressRule.nullable().optional(),
  retention: retentionRule.nullable().optional(),
  httpLimits: httpLimits.nullable().optional(),
});

export interface HttpLimits {
  maxResponseBytes: number;
  maxTimeout: string;
}

export interface SettingValues {
  concurrency: number;
  logLevel: (typeof LOG_LEVELS)[number];
  egress: string;
  retention: string;
  httpLimits: HttpLimits;
}

/** What operators have set, and nothing else. */
export type ChosenSettings = Partial<Omit<SettingValues, 'httpLimits'>> & { httpLimits?: Partial<HttpLimits> };

/** As the parts of a process use them. */
export interface Effective extends SettingValues {
  policy: EgressPolicy;
  retentionMs: number;
  maxTimeoutMs: number;
}

export function effective(base: SettingValues, { httpLimits: limits, ...chosen }: ChosenSettings): Effective {
  const values = { ...base, ...chosen, httpLimits: { ...base.httpLimits, ...limits } };
  return {
    ...values,
    policy: parseEgress(values.egress),
    retentionMs: parseDurationMs(values.retention) ?? Infinity,
    maxTimeoutMs: parseDurationMs(values.httpLimits.maxTimeout) ?? Infinity,
  };
}
