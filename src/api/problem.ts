// Every error the API answers: one class, one table from code to status and title, one body.
import type { FieldFault } from '../contract/problem.ts';
import { TARGET_NOT_ALLOWED_DETAIL } from '../jobs/http/target-url.ts';
import { problemType } from '../jobs/view.ts';

export const PROBLEMS = {
  invalidJson: [400, 'The body is not valid JSON'],
  invalidRequest: [400, 'The request cannot be read'],
  invalidIdempotencyKey: [400, 'The Idempotency-Key is malformed'],
  unauthorized: [401, 'A valid token is needed'],
  forbidden: [403, 'The token lacks a scope'],
  notFound: [404, 'There is no such thing'],
  methodNotAllowed: [405, 'The method is not allowed here'],
  alreadyFinal: [409, 'It is final already'],
  notWaiting: [409, 'It is not waiting'],
  masterKeyMissing: [409, 'Perdure has no master key'],
  alreadyRedriven: [409, 'It has been redriven already'],
  notRedrivable: [409, 'It cannot be redriven'],
  notRunning: [409, 'It is not running'],
  workerEnded: [409, 'The worker is ending or gone'],
  eventsGone: [410, 'Events after that one have been removed'],
  requestTimeout: [408, 'The request did not arrive in time'],
  tooLarge: [413, 'The body is too large'],
  unsupportedMediaType: [415, 'The body must be application/json'],
  validationFailed: [422, 'The request is not valid'],
  targetNotAllowed: [422, 'The target is not allowed'],
  idempotencyKeyReused: [422, 'The Idempotency-Key was used with other content'],
  jsonTooDeep: [422, 'The JSON is nested too deep'],
  jsonTooManyKeys: [422, 'The JSON has too many keys'],
  duplicateKey: [422, 'A key stands twice in the JSON'],
  forbiddenKey: [422, 'A key is not allowed in JSON'],
  nulCharacter: [422, 'The JSON holds a NUL character'],
  loneSurrogate: [422, 'The JSON holds half a character'],
  unsafeNumber: [422, 'A number cannot be kept exactly'],
  tooManyRequests: [429, 'Too many requests'],
  quotaExceeded: [429, 'The tenant has as much of it as it may have'],
  headersTooLarge: [431, 'The URL and the headers are too long'],
  internal: [500, 'Something went wrong here'],
  storeUnavailable: [503, 'The store is away'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Said whatever the cause was. */
const CONSTANT_DETAILS: Partial<Record<ProblemCode, string>> = { targetNotAllowed: TARGET_NOT_ALLOWED_DETAIL };

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string | null;
  instance: string;
  code: ProblemCode;
  errors: FieldFault[];
}

export class ApiError extends Error {
  override name = 'ApiError';
  readonly code: ProblemCode;
  readonly detail: string | null;
  readonly errors: FieldFault[];
  readonly headers: Record<string, string>;

  constructor(
    code: ProblemCode,
    {
      detail = null,
      errors = [],
      headers = {},
    }: { detail?: string | null; errors?: FieldFault[]; headers?: Record<string, string> } = {},
  ) {
    super(detail ?? code);
    this.code = code;
    this.detail = detail;
    this.errors = errors;
    this.headers = headers;
  }
}

export function toProblem({ code, detail, errors }: ApiError, requestId: string): Problem {
  const [status, title] = PROBLEMS[code];
  const shown = detail ?? CONSTANT_DETAILS[code] ?? null;
  return { type: problemType(code), title, status, detail: shown, instance: requestId, code, errors };
}
