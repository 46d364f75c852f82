// Makes each call to a target a span, child of whoever submitted the job; the target is told the span as its parent.
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';

import { contextOf, traceParentOfSpan, tracer } from '../../telemetry/tracing.ts';
import type { HttpSender, OutgoingRequest } from './send.ts';

export function traceSender(sender: HttpSender): HttpSender {
  return {
    async send(request, options) {
      // In the user's own spelling, where the user gave one.
      const name = Object.keys(request.headers).find((key) => key.toLowerCase() === 'traceparent') ?? 'traceparent';
      const span = tracer().startSpan(
        request.method,
        { kind: SpanKind.CLIENT, attributes: attributesOf(request) },
        contextOf(request.headers[name]),
      );
      const traceParent = traceParentOfSpan(span);
      if (traceParent === null) return sender.send(request, options);
      const outcome = await sender.send({ ...request, headers: { ...request.headers, [name]: traceParent } }, options);
      span.setAttribute('perdure.outcome', outcome.kind);
      if (outcome.kind === 'answered') span.setAttribute('http.response.status_code', outcome.status);
      else span.setAttribute('error.type', outcome.code);
      const isGood = outcome.kind === 'answered' && outcome.status < 400;
      if (!isGood) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
      return outcome;
    },
    close: () => sender.close(),
  };
}

/** Of the address no more than its origin: paths and queries may carry what must not leave. */
function attributesOf({ method, url, headers }: OutgoingRequest) {
  const { hostname, port, origin } = new URL(url);
  const [job, attempt] = [headers['x-perdure-job'], headers['x-perdure-attempt']];
  return {
    'http.request.method': method,
    'url.full': origin,
    'server.address': hostname,
    ...(port ? { 'server.port': Number(port) } : {}),
    // The id is also the workflow's in Temporal.
    ...(job ? { 'perdure.job.id': job } : {}),
    ...(attempt ? { 'http.request.resend_count': Number(attempt) - 1 } : {}),
  };
}
