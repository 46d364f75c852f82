// The bodies of /v1/api-keys.
import { z } from 'zod';

import { SCOPES, TENANT_PATTERN } from '../../contract/access.ts';
import { parseDurationMs } from '../../contract/duration.ts';
import { nameSchema } from '../../jobs/spec/job-schema.ts';
import { duration, text } from '../../jobs/spec/rules.ts';

const tenantSchema = text((value) => (TENANT_PATTERN.test(value) ? null : `Must match ${TENANT_PATTERN.source}.`), {
  pattern: TENANT_PATTERN.source,
});
const lifeSchema = duration({ minMs: 1, max: '3653d' });

export const newApiKeySchema = z.strictObject({
  name: nameSchema,
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
  tenant: tenantSchema.nullish(),
  expiresIn: lifeSchema.nullish(),
});

export const rotateApiKeySchema = z.strictObject({
  expiresIn: lifeSchema.nullish(),
  overlap: duration({ minMs: 0, max: '30d' }).nullish(),
});

export function timeAfter(text: string | null | undefined, now: Date): Date | null {
  const ms = text === null || text === undefined ? null : parseDurationMs(text);
  return ms === null ? null : new Date(now.getTime() + ms);
}
