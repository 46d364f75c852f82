// OpenTelemetry, off unless an OTLP endpoint is named: then spans of requests and of calls to targets are sent there.
import { type Context, context, isSpanContextValid, ROOT_CONTEXT, trace, type Tracer } from '@opentelemetry/api';

import { version } from '../version.ts';

/** A collector that is away must not hold up the end of the process. */
const EXPORT_TIMEOUT_MS = 3_000;
const EXPORT_EVERY_MS = 1_000;

/** Without a provider it makes spans that record nothing and cost next to nothing. */
export function tracer(): Tracer {
  return trace.getTracer('perdure', version);
}

/** The library reads headers and certificates of its own variables from the environment itself. */
export async function startTracing(endpoint: string | undefined, role: string): Promise<() => Promise<void>> {
  if (endpoint === undefined) return async () => {};
  const [{ BatchSpanProcessor, TracerProvider }, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all(
    [
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ],
  );
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'perdure', 'service.version': version, 'perdure.role': role }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: EXPORT_EVERY_MS })],
  });
  trace.setGlobalTracerProvider(provider);
  return () => provider.shutdown();
}

const TRACE_PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** What a `traceparent` says of its sender, as the parent of a span. */
export function contextOf(traceParent: string | null | undefined): Context {
  const [, traceId, spanId, flags] = TRACE_PARENT.exec(traceParent ?? '') ?? [];
  if (!traceId || !spanId || !flags) return ROOT_CONTEXT;
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(spanContext) ? trace.setSpanContext(context.active(), spanContext) : ROOT_CONTEXT;
}

/** Null where the span is not recorded: what came in then goes on as it is. */
export function traceParentOfSpan(span: ReturnType<Tracer['startSpan']>): string | null {
  if (!span.isRecording()) return null;
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** For log lines: by it they are found beside the trace. */
export function traceIdOf(traceParent: string | null | undefined): string | undefined {
  return TRACE_PARENT.exec(traceParent ?? '')?.[1];
}
