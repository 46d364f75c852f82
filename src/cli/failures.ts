// Says what went wrong and what to do next, and chooses the exit code.
import { PerdureError } from '../client/index.ts';
import { EXIT, type ExitCode, UsageError } from './exit.ts';

export interface Failure {
  exitCode: ExitCode;
  message: string;
  details: string[];
  hint: string | null;
}

const HINT_BY_CODE: Record<string, string> = {
  alreadyFinal: 'It has ended. See how: perdure get <id>',
  alreadyRedriven: 'See as what: perdure dlq show <id>',
  notWaiting: 'Only what is scheduled or retrying can be run now. See: perdure get <id>',
  idempotencyKeyReused: 'This key made something else before. Use another --key, or send the same content.',
  targetNotAllowed: 'The service may not call this address. An operator can change that with PERDURE_EGRESS.',
  badAnswer: 'Check --url or PERDURE_URL: something else answers there.',
};

const HINT_BY_STATUS: Record<number, string> = {
  401: 'Give a good token with --token or PERDURE_TOKEN, or keep one with: perdure login',
  403: 'The token is good but may not do this. See what it may: perdure login',
  404: 'See what there is: perdure list, perdure schedule list, perdure workflow list',
  429: 'Too many requests. Try again a little later.',
  503: 'The service is up but one of its stores is away. Try again a little later.',
};

export function explainFailure(error: unknown, url: string): Failure {
  if (error instanceof UsageError || isParseError(error)) {
    return { exitCode: EXIT.usage, message: error.message, details: [], hint: null };
  }
  if (error instanceof PerdureError) return explainAnswer(error, url);
  // What is left is local: a file that is not there, a folder we may not write, or a fault of ours to report whole.
  const local = error instanceof Error && 'syscall' in error;
  const message = error instanceof Error ? ((local ? error.message : error.stack) ?? error.message) : String(error);
  return { exitCode: EXIT.usage, message, details: [], hint: null };
}

function explainAnswer(error: PerdureError, url: string): Failure {
  if (error.status === 0) {
    const message = error.code === 'timeout' ? `No answer in time from ${url}` : `Cannot reach Perdure at ${url}`;
    const hint = 'Start one here with: perdure start. Or say where it is: --url, PERDURE_URL, perdure login';
    return { exitCode: EXIT.unreachable, message, details: error.detail ? [error.detail] : [], hint };
  }
  const details = error.errors.map((fault) => `${fault.pointer || '/'}: ${fault.detail}`);
  if (error.requestId) details.push(`request ${error.requestId}`);
  return {
    exitCode: error.status >= 500 ? EXIT.unreachable : EXIT.refused,
    message: `${error.detail ?? error.title} (${error.status} ${error.code})`,
    details,
    hint: HINT_BY_CODE[error.code] ?? HINT_BY_STATUS[error.status] ?? null,
  };
}

function isParseError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
