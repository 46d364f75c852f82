// Structured logs: one pino logger, with what must never be written taken out.
import { type Logger, pino } from 'pino';

export type { Logger };

const REDACTED = ['authorization', 'cookie', 'secret', 'token', 'password', 'databaseUrl', 'smtpUrl'].flatMap(
  (name) => [name, `*.${name}`, `*.*.${name}`],
);

export function createLog(level: string): Logger {
  return pino({
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: REDACTED, censor: '[redacted]' },
  });
}

/** For the person at the terminal; everything else goes to the log. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
