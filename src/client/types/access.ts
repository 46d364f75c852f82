// API keys, and what was done with them and everything else.
import type { Scope } from './operations.ts';

export interface ApiKeyInput {
  name: string;
  /** Each includes those before it: read, submit, operate, admin. */
  scopes: Scope[];
  /** Only for admins of the tenant `default`. */
  tenant?: string;
  expiresIn?: string;
}

export interface RotateInput {
  expiresIn?: string;
  /** How long the old key stays good; not at all by default. */
  overlap?: string;
}

export interface ApiKey {
  id: string;
  name: string;
  scopes: Scope[];
  tenant: string;
  /** How the key begins. */
  prefix: string;
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
}

/** The only answer with the key itself. */
export interface NewApiKey extends ApiKey {
  key: string;
}
