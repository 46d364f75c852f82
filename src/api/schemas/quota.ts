// The body of PUT /v1/quotas/{tenant}: a limit that is left out or null is the default's, 0 is none.
import { z } from 'zod';

const limit = z.int().min(0).max(1_000_000_000).nullable().default(null);

export const quotaSchema = z.strictObject({
  requestsPerSecond: limit,
  waitingJobs: limit,
  schedules: limit,
  bodyBytes: limit,
});
