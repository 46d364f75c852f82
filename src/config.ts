// The only reader of the environment: one schema, every variable with its default, a wrong value named at start.
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { loadEnvFile } from 'node:process';

import { z } from 'zod';

import { parseDurationMs } from './contract/duration.ts';
import { DEFAULT_TASK_QUEUE } from './contract/temporal.ts';
import { parseEgress } from './jobs/http/egress.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const duration = z.string().transform((text, context) => {
  const ms = parseDurationMs(text);
  if (ms === null) context.addIssue(`"${text}" is not a duration such as "30s" or "5m"`);
  return ms ?? 0;
});
const egress = z.string().superRefine((text, context) => {
  try {
    parseEgress(text);
  } catch (error) {
    context.addIssue((error as Error).message);
  }
});

const schema = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(8080),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  TEMPORAL_ADDRESS: z.string().min(1).optional(),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TEMPORAL_UI_URL: z.url().optional(),
  PERDURE_TASK_QUEUE: z.string().min(1).default(DEFAULT_TASK_QUEUE),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  NODE_ENV: z.string().default('development'),
  PERDURE_DATA_DIR: z.string().default('.perdure'),
  PERDURE_TEMPORAL_PORT: port.default(7233),
  PERDURE_TEMPORAL_UI_PORT: port.default(8233),
  PERDURE_TEMPORAL_CLI: z.string().optional(),
  PERDURE_POSTGRES_PORT: port.default(0),
  PERDURE_METRICS_PORT: port.default(0),
  PERDURE_EGRESS: egress.optional(),
  PERDURE_DB_POOL: z.coerce.number().int().min(2).max(500).default(20),
  PERDURE_CONCURRENCY: z.coerce.number().int().min(1).max(5_000).default(200),
  PERDURE_WORKFLOW_CACHE: z.coerce.number().int().min(0).max(50_000).default(600),
  PERDURE_SHUTDOWN_GRACE: duration.default(30_000),
  PERDURE_SCHEDULE_GRACE: duration.default(2_000),
  PERDURE_AUDIT_INTERVAL: duration.default(300_000),
  PERDURE_WORKER_ID: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/)
    .optional(),
  PERDURE_SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  PERDURE_MAIL_FROM: z.string().default('perdure@localhost'),
});

/** Every variable there is; .env.example documents them. */
export const VARIABLES = Object.keys(schema.shape);

export interface Config {
  host: string;
  port: number;
  databaseUrl: string | undefined;
  temporalAddress: string | undefined;
  temporalNamespace: string;
  temporalUiUrl: string | undefined;
  taskQueue: string;
  logLevel: z.infer<typeof schema>['LOG_LEVEL'];
  production: boolean;
  dataDir: string;
  temporalPort: number;
  temporalUiPort: number;
  temporalCliPath: string | undefined;
  postgresPort: number;
  sdkMetricsPort: number;
  egress: string;
  dbPoolSize: number;
  concurrency: number;
  workflowCacheSize: number;
  shutdownGraceMs: number;
  /** How late a schedule may fire in Temporal before we start the run ourselves. */
  graceMs: number;
  /** How often a schedule is compared with Temporal without a reason. */
  auditEveryMs: number;
  workerId: string;
  smtpUrl: string | undefined;
  mailFrom: string;
}

export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Reads `.env` (development only) and the environment; throws one ConfigError that names every wrong variable. */
export function readConfig(): Config {
  if (process.env.NODE_ENV !== 'production' && existsSync('.env')) loadEnvFile('.env');
  return parseConfig(process.env);
}

export function parseConfig(environment: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`Wrong configuration. ${faults.join('; ')}`);
  }
  const env = parsed.data;
  assertProtected(env.HOST);
  return {
    host: env.HOST,
    port: env.PORT,
    databaseUrl: env.DATABASE_URL,
    temporalAddress: env.TEMPORAL_ADDRESS,
    temporalNamespace: env.TEMPORAL_NAMESPACE,
    temporalUiUrl: env.TEMPORAL_UI_URL,
    taskQueue: env.PERDURE_TASK_QUEUE,
    logLevel: env.LOG_LEVEL,
    production: env.NODE_ENV === 'production',
    dataDir: env.PERDURE_DATA_DIR,
    temporalPort: env.PERDURE_TEMPORAL_PORT,
    temporalUiPort: env.PERDURE_TEMPORAL_UI_PORT,
    temporalCliPath: env.PERDURE_TEMPORAL_CLI,
    postgresPort: env.PERDURE_POSTGRES_PORT,
    sdkMetricsPort: env.PERDURE_METRICS_PORT,
    // The embedded stack is for one machine, where the first target is usually a service on the same machine.
    egress: env.PERDURE_EGRESS ?? (env.DATABASE_URL ? 'public' : 'any'),
    dbPoolSize: env.PERDURE_DB_POOL,
    concurrency: env.PERDURE_CONCURRENCY,
    workflowCacheSize: env.PERDURE_WORKFLOW_CACHE,
    shutdownGraceMs: env.PERDURE_SHUTDOWN_GRACE,
    graceMs: env.PERDURE_SCHEDULE_GRACE,
    auditEveryMs: env.PERDURE_AUDIT_INTERVAL,
    workerId: env.PERDURE_WORKER_ID ?? `${hostname().replace(/[^A-Za-z0-9_.-]/g, '-')}-${process.pid}`.slice(-64),
    smtpUrl: env.PERDURE_SMTP_URL,
    mailFrom: env.PERDURE_MAIL_FROM,
  };
}

function assertProtected(host: string) {
  if (['127.0.0.1', '::1', 'localhost'].includes(host)) return;
  throw new ConfigError(
    `HOST: "${host}" is not loopback. Without authentication Perdure listens on loopback only; put a proxy in front.`,
  );
}
