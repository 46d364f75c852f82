// The body of a secret, and its name.
import { z } from 'zod';

import type { FieldFault } from '../../contract/problem.ts';
import { isHeaderValue } from '../../jobs/http/headers.ts';
import { text } from '../../jobs/spec/rules.ts';

export const SECRET_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const MAX_VALUE_LENGTH = 8 * 1024;

export const secretSchema = z.strictObject({
  value: text(faultOfValue, { minLength: 1, maxLength: MAX_VALUE_LENGTH }),
});

export function secretNameFault(name: string): FieldFault | null {
  if (SECRET_NAME.test(name)) return null;
  return { pointer: '/path/name', detail: 'A name has 1 to 64 letters, digits, "_", "." and "-".' };
}

/** It will stand in a header, and nothing that is said about it may quote it. */
function faultOfValue(value: string): string | null {
  if (value === '') return 'Must not be empty.';
  if (value.length > MAX_VALUE_LENGTH) return `Must be at most ${MAX_VALUE_LENGTH} bytes long.`;
  if (!isHeaderValue(value)) return 'A secret is one line of Latin-1 characters.';
  // Targets would get it without.
  return value === value.trim() ? null : 'Must not begin or end with white space.';
}
