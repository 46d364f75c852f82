// One HTTP call to the service: key, token, timeout, retries, and an answer or a PerdureError.
import { errorFromResponse, PerdureError } from './errors.ts';
import { type Query, queryString } from './query.ts';
import { retryDelayMs } from './retry.ts';
import { createDeadline, type Deadline, sleep } from './sleep.ts';
import type { CallOptions, CreateOptions } from './types.ts';

export interface PerdureOptions {
  /** Such as `http://127.0.0.1:8080`, with or without a path. */
  baseUrl: string;
  /** A function is asked before each try, for tokens that expire. */
  token?: string | (() => string | Promise<string>);
  fetch?: typeof fetch;
  /** Tries after the first one: network errors, 429 and 503. */
  retries?: number;
  /** For one try; waits of the service come on top. */
  timeoutMs?: number;
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  query?: Query;
  body?: unknown;
  /** NDJSON, made anew for each try. */
  lines?: () => ReadableStream<Uint8Array>;
  headers?: Record<string, string>;
  /** May be sent again when nobody knows whether it arrived; every method but POST may. */
  repeatable?: boolean;
  /** How long the service may take its time on top of the timeout. */
  waitMs?: number;
}

export interface Transport {
  json<Answer>(call: Call, options?: CallOptions): Promise<Answer>;
  text(call: Call, options?: CallOptions): Promise<string>;
  /** A POST that creates: carries one key, the same over all tries. */
  create<Answer>(call: Omit<Call, 'method'>, options?: CreateOptions): Promise<Answer>;
  /** An answer read as it comes; not retried. The caller closes the deadline. */
  open(call: Call, deadline: Deadline, outer?: AbortSignal): Promise<Response>;
}

export function createTransport(options: PerdureOptions): Transport {
  const { baseUrl, token, retries = 3, timeoutMs = 30_000 } = options;
  const send = options.fetch ?? ((...input: Parameters<typeof fetch>) => fetch(...input));
  const base = new URL(baseUrl).href.replace(/\/+$/, '');

  // What throws in here is a fault of the caller's own code, not of the network.
  async function prepare(call: Call): Promise<StreamingInit> {
    const headers: Record<string, string> = { accept: 'application/json', ...call.headers };
    const bearer = typeof token === 'function' ? await token() : token;
    if (bearer) headers['authorization'] = `Bearer ${bearer}`;
    const init: StreamingInit = { method: call.method, headers, redirect: 'manual' };
    if (call.lines) {
      headers['content-type'] = 'application/x-ndjson';
      init.body = call.lines();
      init.duplex = 'half';
    } else if (call.body !== undefined) {
      headers['content-type'] = 'application/json';
      init.body = JSON.stringify(call.body);
    }
    return init;
  }

  async function exchange<Answer>(call: Call, read: Read<Answer>, deadline: Deadline, outer?: AbortSignal) {
    const init = await prepare(call);
    try {
      const response = await send(`${base}${call.path}${queryString(call.query)}`, {
        ...init,
        signal: deadline.signal,
      });
      if (!response.ok) throw await errorFromResponse(response);
      return await read(response);
    } catch (error) {
      if (outer?.aborted) throw outer.reason;
      throw error instanceof PerdureError ? error : unreachable(error, deadline);
    }
  }

  async function once<Answer>(call: Call, read: Read<Answer>, options: CallOptions): Promise<Answer> {
    const deadline = createDeadline((options.timeoutMs ?? timeoutMs) + (call.waitMs ?? 0), options.signal);
    try {
      return await exchange(call, read, deadline, options.signal);
    } finally {
      deadline.close();
    }
  }

  async function run<Answer>(call: Call, read: Read<Answer>, options: CallOptions = {}): Promise<Answer> {
    const repeatable = call.repeatable ?? call.method !== 'POST';
    for (let tries = 1; ; tries++) {
      try {
        return await once(call, read, options);
      } catch (error) {
        const delayMs = tries > retries ? null : retryDelayMs(error, tries, repeatable);
        if (delayMs === null) throw error;
        await sleep(delayMs, options.signal);
      }
    }
  }

  return {
    json: (call, options) => run(call, readJson, options) as Promise<never>,
    text: (call, options) =>
      run({ ...call, headers: { accept: 'text/plain' } }, (response) => response.text(), options),
    create: (call, { idempotencyKey = crypto.randomUUID(), ...options } = {}) => {
      const headers = { ...call.headers, 'idempotency-key': idempotencyKey };
      return run({ ...call, method: 'POST', headers, repeatable: true }, readJson, options) as Promise<never>;
    },
    open: (call, deadline, outer) => exchange(call, async (response) => response, deadline, outer),
  };
}

type StreamingInit = RequestInit & { duplex?: 'half' };
type Read<Answer> = (response: Response) => Promise<Answer>;

async function readJson(response: Response): Promise<unknown> {
  const body = await response.text();
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch (cause) {
    const title = 'The answer is not JSON; is this the address of Perdure?';
    throw new PerdureError({ status: response.status, code: 'badAnswer', title, cause });
  }
}

function unreachable(error: unknown, deadline: Deadline): PerdureError {
  if (deadline.expired()) {
    return new PerdureError({ status: 0, code: 'timeout', title: 'No answer in time', cause: error });
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const detail =
    cause instanceof Error ? cause.message || ('code' in cause ? String(cause.code) : cause.name) : String(cause);
  return new PerdureError({ status: 0, code: 'network', title: 'Not reachable', detail, cause: error });
}
