// The only reader of the environment: one schema, every variable with its default, a wrong value named at start.
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { loadEnvFile } from 'node:process';

import { z } from 'zod';

import { AUTH_VARIABLES, type AuthSettings, authSettings } from './auth-settings.ts';
import { parseDurationMs } from './contract/duration.ts';
import { DEFAULT_TASK_QUEUE } from './contract/temporal.ts';
import type { Quota } from './db/quotas.ts';
import { type Failpoint, parseFailpoints } from './failpoint.ts';
import { valueOrFile, VariableError } from './file-variable.ts';
import type { Environment } from './jobs/settings/settings.ts';
import { DEFAULT_HTTP_LIMITS, egressRule, LOG_LEVELS, MAX_CONCURRENCY, retentionRule } from './jobs/settings/values.ts';
import { SECRETS_VARIABLES, type SecretsSettings, secretsSettings } from './secrets-settings.ts';

const port = z.coerce.number().int().min(0).max(65_535);
/** 0: none. */
const limit = z.coerce.number().int().min(0).max(1_000_000_000).default(0);
const duration = z.string().transform((text, context) => {
  const ms = parseDurationMs(text);
  if (ms === null) context.addIssue(`"${text}" is not a duration such as "30s" or "5m"`);
  return ms ?? 0;
});

const failpoints = z.string().transform((text, context) => {
  const parsed = parseFailpoints(text);
  if (!parsed) context.addIssue(`"${text}" is not a failpoint such as "accept.committed:1:exit"`);
  return parsed ?? [];
});

const schema = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(8080),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  DATABASE_URL_FILE: z.string().optional(),
  TEMPORAL_ADDRESS: z.string().min(1).optional(),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TEMPORAL_UI_URL: z.url().optional(),
  PERDURE_TASK_QUEUE: z.string().min(1).default(DEFAULT_TASK_QUEUE),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  NODE_ENV: z.string().default('development'),
  PERDURE_DATA_DIR: z.string().default('.perdure'),
  PERDURE_TEMPORAL_PORT: port.default(7233),
  PERDURE_TEMPORAL_UI_PORT: port.default(8233),
  PERDURE_TEMPORAL_CLI: z.string().optional(),
  PERDURE_POSTGRES_PORT: port.default(0),
  PERDURE_METRICS_PORT: port.optional(),
  PERDURE_TEMPORAL_METRICS_PORT: port.optional(),
  PERDURE_WORKER_PORT: port.default(0),
  PERDURE_METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  PERDURE_EGRESS: egressRule.optional(),
  PERDURE_DB_POOL: z.coerce.number().int().min(2).max(500).default(20),
  PERDURE_CONCURRENCY: z.coerce.number().int().min(1).max(MAX_CONCURRENCY).default(200),
  PERDURE_WORKFLOW_CACHE: z.coerce.number().int().min(0).max(50_000).default(600),
  PERDURE_SHUTDOWN_GRACE: duration.default(30_000),
  PERDURE_SCHEDULE_GRACE: duration.default(2_000),
  PERDURE_AUDIT_INTERVAL: duration.default(300_000),
  PERDURE_RETENTION: retentionRule.default('30d'),
  PERDURE_EVENT_RETENTION: duration.default(86_400_000),
  PERDURE_AUDIT_RETENTION: duration.default(365 * 86_400_000),
  PERDURE_WORKER_ID: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/)
    .optional(),
  ...AUTH_VARIABLES,
  ...SECRETS_VARIABLES,
  PERDURE_QUOTA_RPS: limit,
  PERDURE_QUOTA_WAITING_JOBS: limit,
  PERDURE_QUOTA_SCHEDULES: limit,
  PERDURE_QUOTA_BODY_BYTES: limit,
  PERDURE_MAX_CONNECTIONS: z.coerce.number().int().min(1).max(100_000).default(5_000),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  PERDURE_SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  PERDURE_SMTP_URL_FILE: z.string().optional(),
  PERDURE_MAIL_FROM: z.string().default('perdure@localhost'),
  PERDURE_FAILPOINT: failpoints.optional(),
});

/** Those that have a setting of the same meaning. */
const SETTING_VARIABLES = {
  PERDURE_CONCURRENCY: 'concurrency',
  LOG_LEVEL: 'logLevel',
  PERDURE_EGRESS: 'egress',
  PERDURE_RETENTION: 'retention',
} as const;

/** Every variable there is; .env.example documents them. */
export const VARIABLES = Object.keys(schema.shape);

export interface Config extends SecretsSettings {
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
  /** Of the metrics of Temporal's SDK and of the embedded server; 0 is none, undefined any free one of the embedded stack. */
  sdkMetricsPort: number | undefined;
  temporalMetricsPort: number | undefined;
  /** Where a worker without an API answers probes and shows its metrics; 0 is nowhere. */
  workerPort: number;
  metricsHost: string;
  egress: string;
  dbPoolSize: number;
  concurrency: number;
  workflowCacheSize: number;
  shutdownGraceMs: number;
  /** How late a schedule may fire in Temporal before we start the run ourselves. */
  graceMs: number;
  /** How often a schedule is compared with Temporal without a reason. */
  auditEveryMs: number;
  eventRetentionMs: number;
  auditRetentionMs: number;
  /** What may be changed at run time, as the environment has it. */
  settingsEnvironment: Environment;
  workerId: string;
  /** Null: no authentication, and so loopback only. */
  auth: AuthSettings | null;
  /** How many proxies in front of us say truly in X-Forwarded-For who called them. */
  trustProxyHops: number;
  /** What each tenant may use, unless it has limits of its own. */
  quota: Quota;
  maxConnections: number;
  otlpEndpoint: string | undefined;
  smtpUrl: string | undefined;
  mailFrom: string;
  /** Where this process is to die, for tests of what that does. */
  failpoints: Failpoint[];
}

/** Their passwords may come from a file, as orchestrators mount them. */
const URLS_WITH_PASSWORDS = ['DATABASE_URL', 'PERDURE_SMTP_URL'];

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
  for (const name of URLS_WITH_PASSWORDS) given[name] = checked(() => valueOrFile(given, name)) ?? undefined;
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`Wrong configuration. ${faults.join('; ')}`);
  }
  const env = parsed.data;
  if (env.NODE_ENV === 'production' && env.PERDURE_FAILPOINT) {
    throw new ConfigError('PERDURE_FAILPOINT: it makes a process die, and is not for production.');
  }
  const auth = checked(() => authSettings(env));
  assertProtected(env.HOST, auth);
  const secrets = checked(() => secretsSettings(env));
  assertKey(secrets, env.DATABASE_URL);
  // The embedded stack is for one machine, where the first target is usually a service on the same machine.
  const egress = env.PERDURE_EGRESS ?? (env.DATABASE_URL ? 'public' : 'any');
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
    temporalMetricsPort: env.PERDURE_TEMPORAL_METRICS_PORT,
    workerPort: env.PERDURE_WORKER_PORT,
    metricsHost: env.PERDURE_METRICS_HOST,
    egress,
    dbPoolSize: env.PERDURE_DB_POOL,
    concurrency: env.PERDURE_CONCURRENCY,
    workflowCacheSize: env.PERDURE_WORKFLOW_CACHE,
    shutdownGraceMs: env.PERDURE_SHUTDOWN_GRACE,
    graceMs: env.PERDURE_SCHEDULE_GRACE,
    auditEveryMs: env.PERDURE_AUDIT_INTERVAL,
    eventRetentionMs: env.PERDURE_EVENT_RETENTION,
    auditRetentionMs: env.PERDURE_AUDIT_RETENTION,
    settingsEnvironment: {
      values: {
        concurrency: env.PERDURE_CONCURRENCY,
        logLevel: env.LOG_LEVEL,
        egress,
        retention: env.PERDURE_RETENTION,
        httpLimits: { ...DEFAULT_HTTP_LIMITS },
      },
      given: new Set(Object.entries(SETTING_VARIABLES).flatMap(([name, of]) => (name in given ? [of] : []))),
    },
    workerId: env.PERDURE_WORKER_ID ?? `${hostname().replace(/[^A-Za-z0-9_.-]/g, '-')}-${process.pid}`.slice(-64),
    ...secrets,
    auth,
    trustProxyHops: env.PERDURE_TRUST_PROXY,
    quota: {
      requestsPerSecond: env.PERDURE_QUOTA_RPS,
      waitingJobs: env.PERDURE_QUOTA_WAITING_JOBS,
      schedules: env.PERDURE_QUOTA_SCHEDULES,
      bodyBytes: env.PERDURE_QUOTA_BODY_BYTES,
    },
    maxConnections: env.PERDURE_MAX_CONNECTIONS,
    otlpEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    smtpUrl: env.PERDURE_SMTP_URL,
    mailFrom: env.PERDURE_MAIL_FROM,
    failpoints: env.PERDURE_FAILPOINT ?? [],
  };
}

function checked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof VariableError)) throw error;
    throw new ConfigError(`Wrong configuration. ${error.message}`);
  }
}

/** The embedded stack makes a key for itself. */
function assertKey({ masterKeys, encryption }: SecretsSettings, databaseUrl: string | undefined) {
  if (encryption === 'off' || masterKeys.length > 0 || databaseUrl === undefined) return;
  throw new ConfigError(
    `PERDURE_ENCRYPTION: "${encryption}" needs PERDURE_MASTER_KEY; make one: openssl rand -base64 32`,
  );
}

function assertProtected(host: string, auth: AuthSettings | null) {
  if (auth || ['127.0.0.1', '::1', 'localhost'].includes(host)) return;
  throw new ConfigError(
    `HOST: "${host}" is not loopback. Without authentication Perdure listens on loopback only; set PERDURE_AUTH.`,
  );
}
