// Connections that see one tenant's rows: each takes on a role that row-level security binds, and remembers for whom.
import { AsyncLocalStorage } from 'node:async_hooks';

import type pg from 'pg';

/** Made by the migrations; nobody logs in as it. */
export const TENANT_ROLE = 'perdure_tenant';

export interface TenantPool {
  /** The tenant on whose behalf this code runs; null: the service itself. */
  current(): string | null;
  /** `tenant` null: whatever this code runs in, its statements are the service's own. */
  run<T>(tenant: string | null, work: () => T): T;
  acquire(tenant: string): Promise<pg.PoolClient>;
  /** What stands in the way: the role is not there, not ours to take on, or may not read. Null: nothing. */
  check(): Promise<Error | null>;
  close(): Promise<void>;
}

const BECOME = `select set_config('role', '${TENANT_ROLE}', false), set_config('perdure.tenant', $1, false)`;
const CHANGE = `select set_config('perdure.tenant', $1, false)`;

export function createTenantPool(pool: pg.Pool): TenantPool {
  const scopes = new AsyncLocalStorage<string | null>();
  const boundTo = new WeakMap<pg.PoolClient, string>();

  const acquire = async (tenant: string): Promise<pg.PoolClient> => {
    const client = await pool.connect();
    const bound = boundTo.get(client);
    if (bound === tenant) return client;
    try {
      await client.query(bound === undefined ? BECOME : CHANGE, [tenant]);
    } catch (error) {
      // Whose it is now is not known.
      client.release(true);
      throw error;
    }
    boundTo.set(client, tenant);
    return client;
  };

  return {
    acquire,
    current: () => scopes.getStore() ?? null,
    run: (tenant, work) => scopes.run(tenant, work),
    async check() {
      try {
        const client = await acquire('');
        await client.query('select from jobs limit 1').finally(() => client.release());
        return null;
      } catch (error) {
        return error as Error;
      }
    },
    close: () => pool.end(),
  };
}
