// Makes each request a span; what it creates carries the span on to the calls made for it.
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { NextFunction, Request, Response } from 'express';

import { contextOf, traceParentOfSpan, tracer } from '../../telemetry/tracing.ts';

declare module 'express-serve-static-core' {
  interface Locals {
    /** Of our span where requests are traced, else as it came. */
    traceParent: string | null;
  }
}

export function traceRequest(request: Request, response: Response, next: NextFunction): void {
  const given = request.get('traceparent') ?? null;
  const attributes = { 'http.request.method': request.method, 'perdure.request.id': response.locals.requestId };
  const span = tracer().startSpan(request.method, { kind: SpanKind.SERVER, attributes }, contextOf(given));
  response.locals.traceParent = traceParentOfSpan(span) ?? given;
  if (span.isRecording()) {
    response.once('close', () => {
      // Known only after routing: a name by pattern, never by path.
      const route = (request.route as { path?: string } | undefined)?.path;
      if (route) span.updateName(`${request.method} ${route}`).setAttribute('http.route', route);
      span.setAttribute('http.response.status_code', response.statusCode);
      if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
  }
  next();
}
