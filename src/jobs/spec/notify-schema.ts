// What a `notify` rule may hold: when to tell, and whom by webhook or email.

import { z } from 'zod';

import { isBase64 } from './http-schema.ts';
import { exclusive, type MemberFault, type Members, repeated, text, withRule } from './rules.ts';

const SECRET_PREFIX = 'whsec_';
const EMAIL =
  /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)*[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i;

const secretSchema = text(faultOfSecret);
const emailSchema = text(
  (value) => (isEmail(value) ? null : 'Must be one plain email address, such as ops@example.com.'),
  { format: 'email' },
);

/** `states` are those that may be waited for: a job, a run and a batch have different ones. */
export function notifySchema<const T extends readonly string[]>(states: T) {
  const rule = z.strictObject({
    on: z.array(z.enum(states)).min(1),
    webhook: z.strictObject({ url: z.string(), secret: secretSchema.nullish() }).optional(),
    email: z.strictObject({ to: z.array(emailSchema).min(1).max(50) }).optional(),
  });
  return z.array(withRule(rule, faultsOfRule)).max(20);
}

export type NotifyInput = z.infer<ReturnType<typeof notifySchema>>;

function faultsOfRule(rule: Members): MemberFault[] {
  const faults = [...repeated(rule.on, ['on']), ...exclusive(rule, ['webhook', 'email'])];
  if (rule.webhook === undefined && rule.email === undefined) {
    faults.push({ path: [], detail: 'One of webhook, email is required.' });
  }
  return faults;
}

function faultOfSecret(value: string): string | null {
  const encoded = value.slice(SECRET_PREFIX.length);
  const bytes = value.startsWith(SECRET_PREFIX) && isBase64(encoded) ? Buffer.from(encoded, 'base64').length : 0;
  return bytes >= 24 && bytes <= 64 ? null : 'Must be "whsec_" and the base64 of 24 to 64 bytes.';
}

/** Only what needs no quoting: such an address cannot smuggle a second one, a name or a header. */
export function isEmail(value: string): boolean {
  return value.length <= 254 && value.indexOf('@') <= 64 && EMAIL.test(value);
}
