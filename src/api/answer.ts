// Writes answers, and reads what concerns all creating requests: the idempotency key and how long to wait.
import type { NextFunction, Request, Response } from 'express';

import { jsonPointer } from '../contract/json-pointer.ts';
import type { FieldFault } from '../contract/problem.ts';
import type { IdempotencyKey } from '../jobs/accept.ts';
import { fingerprint } from '../jobs/canonical-json.ts';
import { ApiError } from './problem.ts';
import { parseIdempotencyKey } from './schemas/idempotency-key.ts';
import { parsePreferWait, parseWaitParameter } from './schemas/wait.ts';

export function sendJson(response: Response, status: number, body: unknown): void {
  sendText(response, status, JSON.stringify(body));
}

/** For answers that must be the same to the byte. */
export function sendText(response: Response, status: number, body: string): void {
  response.status(status);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  const { method } = response.req;
  // What is asked for may be known already, or only its headers be wanted: express sees to that.
  if (method === 'GET' || method === 'HEAD') return void response.send(body);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}

export function idempotencyKeyOf(request: Request, content: unknown): IdempotencyKey | null {
  const parsed = parseIdempotencyKey(request.get('idempotency-key'));
  if (!parsed.ok) throw new ApiError('invalidIdempotencyKey', { detail: parsed.detail });
  if (parsed.key === null) return null;
  const { method } = request;
  const path = routedPath(request);
  return { scope: `${method} ${path}`, key: parsed.key, fingerprint: fingerprint({ method, path, content }) };
}

/** The path as its route reads it: neither its case nor a slash at its end makes it another one. */
function routedPath({ route, params }: Request): string {
  const { path } = route as { path: string };
  return path.replace(/:(\w+)/g, (_match, name: string) => String(params[name]));
}

/** `Prefer: wait=20`; null where the client did not ask. */
export function preferredWaitMs(request: Request, response: Response): number | null {
  const waitMs = parsePreferWait(request.get('prefer'));
  if (waitMs !== null) response.set('Preference-Applied', `wait=${Math.floor(waitMs / 1_000)}`);
  return waitMs;
}

/** `?wait=20s`, the only parameter that a single thing takes. */
export function waitParameterMs(request: Request): number {
  const query = queryOf(request);
  const unknown = [...new Set(query.keys())].filter((name) => name !== 'wait');
  const faults = unknownParameters(unknown);
  const parsed = parseWaitParameter(query.getAll('wait'));
  if (!parsed.ok) faults.push(...parsed.faults);
  if (faults.length > 0 || !parsed.ok) throw new ApiError('validationFailed', { errors: faults });
  return parsed.waitMs ?? 0;
}

/** For routes that take no parameter: one that is sent is a mistake, and is not ignored. */
export function refuseQuery(request: Request, _response: Response, next: NextFunction): void {
  if (!request.originalUrl.includes('?')) return next();
  const names = [...new Set(queryOf(request).keys())];
  if (names.length > 0) throw new ApiError('validationFailed', { errors: unknownParameters(names) });
  next();
}

function unknownParameters(names: string[]): FieldFault[] {
  return names.map((name) => ({ pointer: jsonPointer(['query', name]), detail: 'Unknown parameter.' }));
}

export function queryOf(request: Request): URLSearchParams {
  return new URL(request.originalUrl, 'http://localhost').searchParams;
}

export function pathParameter(request: Request, name: string): string {
  const value = request.params[name];
  // What is no id of ours is the id of nothing.
  if (typeof value !== 'string' || !/^[A-Za-z0-9_.:-]{1,200}$/.test(value)) throw new ApiError('notFound');
  return value;
}
