// Makes a fetch handler (Hono, Bun, Workers, Next.js) honour Idempotency-Key: one key, one effect, the same answer.
import {
  DEFAULT_LOCK_SECONDS,
  fromBase64,
  type IdempotencyOptions,
  isKey,
  isTransient,
  logStoreError,
  replayableHeaders,
  type StoredAnswer,
  toBase64,
} from './store.ts';

export type FetchHandler<Rest extends unknown[]> = (request: Request, ...rest: Rest) => Response | Promise<Response>;

/** Requests without a key go through as they are. */
export function idempotentHandler<Rest extends unknown[]>(
  handler: FetchHandler<Rest>,
  options: IdempotencyOptions,
): (request: Request, ...rest: Rest) => Promise<Response> {
  const { store, lockSeconds = DEFAULT_LOCK_SECONDS, inProgressStatus = 425, onStoreError = logStoreError } = options;
  return async (request, ...rest) => {
    const key = request.headers.get('idempotency-key');
    if (!isKey(key)) return handler(request, ...rest);
    const begun = await store.begin(key, lockSeconds);
    if (begun.state === 'done') return replay(begun.answer);
    if (begun.state === 'inProgress') {
      return new Response(null, {
        status: inProgressStatus,
        headers: { 'retry-after': String(begun.retryAfterSeconds) },
      });
    }
    let response: Response;
    try {
      response = await handler(request, ...rest);
    } catch (error) {
      await store.release(key, begun.token);
      throw error;
    }
    if (isTransient(response.status)) {
      await store.release(key, begun.token);
      return response;
    }
    const answer = await readAnswer(response.clone());
    await store.complete(key, begun.token, answer).catch(onStoreError);
    return response;
  };
}

async function readAnswer(response: Response): Promise<StoredAnswer> {
  return {
    status: response.status,
    headers: replayableHeaders(response.headers),
    bodyBase64: toBase64(new Uint8Array(await response.arrayBuffer())),
  };
}

function replay({ status, headers, bodyBase64 }: StoredAnswer): Response {
  // A body, even an empty one, is not allowed with these.
  const body = [204, 205, 304].includes(status) ? null : fromBase64(bodyBase64);
  return new Response(body, { status, headers: { ...headers, 'idempotency-replayed': 'true' } });
}
