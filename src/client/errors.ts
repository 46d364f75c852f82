// The one error the SDK throws for what the service refused or could not answer.
import type { FieldFault } from '../contract/problem.ts';

interface ErrorFields {
  status: number;
  code: string;
  title: string;
  type?: string;
  detail?: string | null;
  errors?: FieldFault[];
  requestId?: string | null;
  retryAfterMs?: number | null;
  cause?: unknown;
}

/** `status` is 0 and `code` is `network` or `timeout` when there was no answer. */
export class PerdureError extends Error {
  override readonly name = 'PerdureError';
  readonly status: number;
  /** Stable; branch on this. */
  readonly code: string;
  readonly errors: FieldFault[];
  readonly requestId: string | null;
  readonly type: string;
  readonly title: string;
  readonly detail: string | null;
  readonly retryAfterMs: number | null;

  constructor(fields: ErrorFields) {
    const { status, code, title, type = 'about:blank', detail = null, errors = [], requestId = null } = fields;
    super(messageOf(title, detail, errors), { cause: fields.cause });
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.requestId = requestId;
    this.type = type;
    this.title = title;
    this.detail = detail;
    this.retryAfterMs = fields.retryAfterMs ?? null;
  }
}

export async function errorFromResponse(response: Response): Promise<PerdureError> {
  const problem = await readProblem(response);
  return new PerdureError({
    status: response.status,
    code: text(problem['code']) ?? 'httpStatus',
    title: text(problem['title']) ?? `The service answered ${response.status}`,
    type: text(problem['type']) ?? undefined,
    detail: text(problem['detail']),
    errors: Array.isArray(problem['errors']) ? problem['errors'].filter(isFault) : [],
    requestId: response.headers.get('x-request-id') ?? text(problem['instance']),
    retryAfterMs: readRetryAfterMs(response.headers.get('retry-after'), Date.now()),
  });
}

/** Seconds or an HTTP date. */
export function readRetryAfterMs(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}

// What stands in front of the service may answer with HTML: then only the status is known.
async function readProblem(response: Response): Promise<Record<string, unknown>> {
  const body = await response.text();
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function messageOf(title: string, detail: string | null, errors: FieldFault[]): string {
  const faults = errors.map((fault) => `${fault.pointer || '/'}: ${fault.detail}`);
  return [title, detail, faults.join('; ')].filter(Boolean).join(': ');
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function isFault(value: unknown): value is FieldFault {
  return typeof value === 'object' && value !== null && 'pointer' in value && 'detail' in value;
}
