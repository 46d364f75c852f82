// What a redirect asks for next, and when it is not followed.
import type { EgressPolicy } from './egress.ts';
import { isSecretHeader } from './headers.ts';
import type { OutgoingRequest } from './send.ts';
import { checkTargetUrl } from './target-url.ts';

const REDIRECTS = [301, 302, 303, 307, 308];
const BODY_HEADER = /^content-/i;
const PERDURE_HEADER = /^x-perdure-/i;

/** The next request, or null: no redirect, or one that must not be followed. */
export function redirectedRequest(
  request: OutgoingRequest,
  answer: { status: number; headers: Record<string, string> },
  policy: EgressPolicy,
): OutgoingRequest | null {
  const location = answer.headers['location'];
  if (!REDIRECTS.includes(answer.status) || location === undefined || !URL.canParse(location, request.url)) return null;
  const from = new URL(request.url);
  const target = checkTargetUrl(new URL(location, from).href, policy);
  if (!target.ok || (from.protocol === 'https:' && target.url.protocol === 'http:')) return null;
  const next = { ...withMethod(request, answer.status), url: target.url.href };
  return target.url.origin === from.origin ? next : { ...next, headers: withoutTrust(next) };
}

function withMethod(request: OutgoingRequest, status: number): OutgoingRequest {
  const { method } = request;
  const becomesGet = status === 303 ? method !== 'HEAD' : status < 303 && method === 'POST';
  if (!becomesGet) return request;
  const { body: _body, ...rest } = request;
  const headers = withoutHeaders(request.headers, (name) => BODY_HEADER.test(name));
  return { ...rest, method: 'GET', headers };
}

/** What was meant for the first origin only. A secret may sit in any header whose name says so, not just the usual two. */
function withoutTrust({ headers, confidential = [] }: OutgoingRequest): Record<string, string> {
  const isMeant = (name: string) => isSecretHeader(name) || confidential.includes(name.toLowerCase());
  return withoutHeaders(headers, (name) => isMeant(name) || PERDURE_HEADER.test(name));
}

function withoutHeaders(headers: Record<string, string>, drop: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !drop(name)));
}
