// The `traceparent` (W3C Trace Context) that targets get: the submitter's where it is one, else the start of a new trace.
import { randomFillSync } from 'node:crypto';

const TRACE_PARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export function traceParentOf(given: string | null | undefined): string {
  if (given && TRACE_PARENT.test(given)) return given;
  return `00-${randomHex(16)}-${randomHex(8)}-01`;
}

/** Drawn for many at once: a system call for each job is a tenth of what a batch costs to accept. */
const pool = Buffer.alloc(4_096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool.toString('hex', used, (used += bytes));
}
