// The `traceparent` (W3C Trace Context) that targets get: the submitter's where it is one, else the start of a new trace.
import { randomBytes } from 'node:crypto';

const TRACE_PARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export function traceParentOf(given: string | null | undefined): string {
  if (given && TRACE_PARENT.test(given)) return given;
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}
