// Builds the request that goes to the target: the user's call plus the headers by which the target knows us.
import type { HttpSpec } from '../contract/job.ts';
import type { OutgoingRequest } from '../jobs/http/send.ts';
import { version } from '../version.ts';
import type { CalledJob } from './attempt.ts';

export function outgoingRequest(
  job: CalledJob,
  { headers, confidential }: { headers: Record<string, string>; confidential: readonly string[] },
): OutgoingRequest {
  const { http } = job.spec;
  const { body, contentType } = encodeBody(http);
  const named = (name: string) => Object.keys(headers).some((key) => key.toLowerCase() === name);
  return {
    method: http.method,
    url: withQuery(http.url, http.query),
    headers: {
      ...(contentType && !named('content-type') ? { 'content-type': contentType } : {}),
      ...(named('user-agent') ? {} : { 'user-agent': `perdure/${version}` }),
      ...(named('traceparent') || job.traceParent === null ? {} : { traceparent: job.traceParent }),
      ...headers,
      'idempotency-key': job.outboundKey,
      'x-perdure-job': job.id,
      'x-perdure-attempt': String(job.attempts),
    },
    ...(body === undefined ? {} : { body }),
    followRedirects: http.followRedirects,
    confidential,
  };
}

function encodeBody({ body, bodyText, bodyBase64 }: HttpSpec): { body?: string | Buffer; contentType?: string } {
  if (body !== null) return { body: JSON.stringify(body), contentType: 'application/json' };
  if (bodyText !== null) return { body: bodyText, contentType: 'text/plain; charset=utf-8' };
  if (bodyBase64 !== null) return { body: Buffer.from(bodyBase64, 'base64'), contentType: 'application/octet-stream' };
  return {};
}

function withQuery(url: string, query: Record<string, string>): string {
  if (Object.keys(query).length === 0) return url;
  const target = new URL(url);
  for (const [name, value] of Object.entries(query)) target.searchParams.append(name, value);
  return target.href;
}
