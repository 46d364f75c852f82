// Express middleware that honours Idempotency-Key: one key, one effect, the same answer.
import {
  DEFAULT_LOCK_SECONDS,
  fromBase64,
  type IdempotencyOptions,
  type IdempotencyStore,
  isKey,
  isTransient,
  logStoreError,
  replayableHeaders,
  toBase64,
} from './store.ts';

/** What is used of Express, so that it is no dependency. */
interface ExpressRequest {
  headers: Record<string, string | string[] | undefined>;
}

interface ExpressResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  getHeaders(): Record<string, string | number | readonly string[] | undefined>;
  write: WriteFunction;
  end: WriteFunction;
}

type WriteFunction = (this: unknown, ...args: never[]) => unknown;
type Next = (error?: unknown) => void;

/** Put it before the routes it is for. Requests without a key go through as they are. */
export function idempotent(options: IdempotencyOptions) {
  const { store, lockSeconds = DEFAULT_LOCK_SECONDS, inProgressStatus = 425, onStoreError = logStoreError } = options;
  return async (request: ExpressRequest, response: ExpressResponse, next: Next): Promise<void> => {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || !isKey(key)) return next();
    const end = response.end.bind(response) as (body?: Uint8Array) => unknown;
    try {
      const begun = await store.begin(key, lockSeconds);
      if (begun.state === 'new') {
        keepAnswer(response, (body) => settle(store, key, begun.token, response, body).catch(onStoreError));
        return next();
      }
      if (begun.state === 'inProgress') {
        response.statusCode = inProgressStatus;
        response.setHeader('retry-after', String(begun.retryAfterSeconds));
        return void end();
      }
      const { status, headers, bodyBase64 } = begun.answer;
      response.statusCode = status;
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      response.setHeader('idempotency-replayed', 'true');
      end(fromBase64(bodyBase64));
    } catch (error) {
      next(error);
    }
  };
}

async function settle(
  store: IdempotencyStore,
  key: string,
  token: string,
  response: ExpressResponse,
  body: Uint8Array,
): Promise<void> {
  if (isTransient(response.statusCode)) return store.release(key, token);
  const headers = Object.entries(response.getHeaders()).map(([name, value]): [string, string] => [name, String(value)]);
  const answer = { status: response.statusCode, headers: replayableHeaders(headers), bodyBase64: toBase64(body) };
  await store.complete(key, token, answer);
}

// The last byte goes out only when the answer is stored: who has received it may rely on the replay.
function keepAnswer(response: ExpressResponse, settled: (body: Uint8Array) => Promise<unknown>): void {
  const chunks: Uint8Array[] = [];
  const write = response.write.bind(response) as (...args: unknown[]) => unknown;
  const end = response.end.bind(response) as (...args: unknown[]) => unknown;
  let ended = false;
  const keep = (chunk: unknown, encoding: unknown) => {
    if (typeof chunk === 'string') chunks.push(encode(chunk, encoding));
    if (chunk instanceof Uint8Array) chunks.push(Uint8Array.from(chunk));
  };
  response.write = (...args: unknown[]) => {
    keep(args[0], args[1]);
    return write(...args);
  };
  response.end = (...args: unknown[]) => {
    if (ended) return response;
    ended = true;
    keep(args[0], args[1]);
    void settled(concat(chunks)).then(() => end(...args));
    return response;
  };
}

function encode(text: string, encoding: unknown): Uint8Array {
  if (encoding === 'latin1' || encoding === 'binary') return Uint8Array.from(text, (char) => char.charCodeAt(0));
  return encoding === 'base64' ? fromBase64(text) : new TextEncoder().encode(text);
}

function concat(chunks: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
