// Who asks, and what they may do: each scope includes those before it.

export const SCOPES = ['read', 'submit', 'operate', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export type AuthKind = 'none' | 'jwt' | 'apikey';

export interface Principal {
  subject: string;
  tenant: string;
  /** Everything it may do, the included scopes too. */
  scopes: Scope[];
  auth: AuthKind;
}

export const DEFAULT_TENANT = 'default';

/** As in ids of schedules: tenants are part of the ids of their scheduled jobs. */
export const TENANT_PATTERN = /^[a-zA-Z0-9_-]{1,64}$/;

/** What the scopes that were given allow, in their order. */
export function withIncluded(given: readonly string[]): Scope[] {
  const highest = SCOPES.findLastIndex((scope) => given.includes(scope));
  return SCOPES.slice(0, highest + 1);
}
