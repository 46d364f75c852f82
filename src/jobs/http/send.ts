// Makes one HTTP call and says what is proved about it: answered, not sent, or unknown.
import { type Dispatcher, errors } from 'undici';

import { exchange, type WireProof } from './exchange.ts';
import { TargetNotAllowedError } from './guarded-connect.ts';
import { createGuardedDispatcher, type GuardedDispatcherDeps } from './guarded-dispatcher.ts';
import { redirectedRequest } from './redirect.ts';
import { checkTargetUrl } from './target-url.ts';

export interface OutgoingRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
  followRedirects: boolean;
  /** Names (in lower case) of headers that hold a secret, whatever they are called: another origin does not get them. */
  confidential?: readonly string[];
}

/** What a call needs of an AbortSignal. */
export interface CutSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface SendOptions {
  /** For all of it: name, connection, redirects, the answer's last byte. */
  timeoutMs: number;
  signal?: CutSignal;
  maxBodyBytes?: number;
}

export interface Answered {
  kind: 'answered';
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  truncated: boolean;
  durationMs: number;
  targetAddress: string | null;
}
export interface NotSent {
  kind: 'notSent';
  code: 'network' | 'timeout' | 'targetNotAllowed' | 'canceled';
  detail: string;
  durationMs: number;
}
export interface Unknown {
  kind: 'unknown';
  code: 'network' | 'timeout' | 'canceled';
  detail: string;
  durationMs: number;
}
export type SendOutcome = Answered | NotSent | Unknown;

export interface HttpSender {
  /** Never throws: what goes wrong is an outcome. */
  send(request: OutgoingRequest, options: SendOptions): Promise<SendOutcome>;
  /** Cuts the calls under way; they end as `canceled`. */
  close(): Promise<void>;
}

type StopReason = 'timeout' | 'canceled';
interface Call {
  maxBodyBytes: number;
  startedAtMs: number;
  stop: Stop;
}

/** An AbortController without its event target: one a call, and calls come by the thousand. */
interface Stop {
  reason: StopReason | null;
  onStop: (() => void) | null;
}

/** The first reason stays. */
function end(stop: Stop, reason: StopReason): void {
  if (stop.reason) return;
  stop.reason = reason;
  stop.onStop?.();
}

const MAX_REDIRECTS = 5;
const MAX_DETAIL_LENGTH = 500;
const STOP_DETAILS = {
  timeout: 'The call took longer than its timeout.',
  canceled: 'The call was canceled.',
} as const satisfies Record<StopReason, string>;

export function createHttpSender(deps: GuardedDispatcherDeps): HttpSender {
  const dispatcher = createGuardedDispatcher(deps);
  const active = new Set<Stop>();
  let closed = false;

  const callOnce = async (request: OutgoingRequest, call: Call): Promise<SendOutcome> => {
    const target = checkTargetUrl(request.url, deps.getPolicy());
    if (!target.ok) {
      const code = target.code === 'invalidUrl' ? 'network' : target.code;
      return { kind: 'notSent', code, detail: target.detail, durationMs: elapsedMs(call) };
    }
    const proof: WireProof = { written: false, targetAddress: null };
    if (call.stop.reason) return failure(null, proof, call);
    const lease = dispatcher.lease(target.url.origin);
    call.stop.onStop = lease.discard;
    let reusable = false;
    try {
      const wire = { maxBodyBytes: call.maxBodyBytes, proof };
      const { headers, ...answer } = await exchange(lease, toUndici(request, target.url), wire);
      reusable = !answer.truncated;
      const { targetAddress } = proof;
      return { kind: 'answered', ...answer, headers: flatten(headers), durationMs: elapsedMs(call), targetAddress };
    } catch (error) {
      return failure(error, proof, call);
    } finally {
      call.stop.onStop = null;
      if (reusable) lease.release();
      else lease.discard();
    }
  };

  /**
   * Once a hop was answered the call is sent. A next hop the guard refuses leaves that answer, the 3xx, as the result;
   * one that fails otherwise is `unknown`, because nobody can tell how far the first target got.
   */
  const follow = async (request: OutgoingRequest, call: Call): Promise<SendOutcome> => {
    let outcome = await callOnce(request, call);
    let next: OutgoingRequest | null = request;
    for (let hop = 0; hop < MAX_REDIRECTS && request.followRedirects && outcome.kind === 'answered'; hop += 1) {
      next = redirectedRequest(next, outcome, deps.getPolicy());
      if (!next) return outcome;
      const further = await callOnce(next, call);
      if (further.kind !== 'notSent') outcome = further;
      else if (further.code === 'targetNotAllowed') return outcome;
      else return { ...further, kind: 'unknown', code: further.code };
    }
    return outcome;
  };

  const send = async (
    request: OutgoingRequest,
    { timeoutMs, signal, maxBodyBytes = 64 * 1024 }: SendOptions,
  ): Promise<SendOutcome> => {
    const stop: Stop = { reason: null, onStop: null };
    const cancel = () => end(stop, 'canceled');
    if (closed || signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel);
    const timer = setTimeout(() => end(stop, 'timeout'), timeoutMs);
    active.add(stop);
    try {
      return await follow(request, { maxBodyBytes, startedAtMs: performance.now(), stop });
    } finally {
      active.delete(stop);
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  };

  const close = async (): Promise<void> => {
    closed = true;
    for (const stop of active) end(stop, 'canceled');
    await dispatcher.close();
  };

  return { send, close };
}

function toUndici({ method, headers, body }: OutgoingRequest, url: URL): Dispatcher.DispatchOptions {
  const choosesEncoding = Object.keys(headers).some((name) => name.toLowerCase() === 'accept-encoding');
  return {
    path: url.pathname + url.search,
    method,
    headers: choosesEncoding ? headers : { ...headers, 'accept-encoding': 'identity' },
    body: body ?? null,
  };
}

function failure(error: unknown, proof: WireProof, call: Call): NotSent | Unknown {
  const durationMs = elapsedMs(call);
  const kind = proof.written ? 'unknown' : 'notSent';
  const { reason } = call.stop;
  if (reason) return { kind, code: reason, detail: STOP_DETAILS[reason], durationMs };
  const detail = describe(error);
  if (error instanceof TargetNotAllowedError) return { kind: 'notSent', code: 'targetNotAllowed', detail, durationMs };
  const code = error instanceof errors.ConnectTimeoutError ? 'timeout' : 'network';
  return { kind, code, detail, durationMs };
}

function describe(error: unknown): string {
  // Several addresses tried: each failed for a reason of its own and the first says enough.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const text = first instanceof Error ? first.message : String(first);
  return text.slice(0, MAX_DETAIL_LENGTH);
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  // Not by assignment: a header may be called `__proto__`.
  return Object.fromEntries(
    Object.entries(headers).map(([name, value = '']) => [name, typeof value === 'string' ? value : value.join(', ')]),
  );
}

function elapsedMs({ startedAtMs }: Call): number {
  return Math.round(performance.now() - startedAtMs);
}
