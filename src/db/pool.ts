// The one door to PostgreSQL: every wait has an end, and a store that is away has an error of its own.
import pg from 'pg';

import { createTenantPool, type TenantPool } from './tenant-pool.ts';

export interface Queryable {
  query<Row>(text: string, values?: unknown[]): Promise<Row[]>;
}

export interface Database extends Queryable {
  /** Runs `work` in one transaction. As with a single statement, a deadlock or serialization failure runs it again, twice. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /**
   * For single statements that touch many rows by their keys, as the service: a prepared statement keeps the plan it got
   * while the tables were small, and for many rows that is to read all of a table or an index. These are planned each
   * time, and the plans that read a table are not to be had.
   */
  bulk: Queryable;
  /** Calls `onMessage` for each NOTIFY on `channel`; reconnects by itself. Returns the closer. */
  listen(channel: string, onMessage: (payload: string) => void): () => Promise<void>;
  /** From here on `asTenant` means something. Answers why it cannot, or null; then all is as before. */
  isolateTenants(): Promise<string | null>;
  /** Once isolated, statements of `work`, and of what it awaits, see this tenant's rows alone. */
  asTenant<T>(tenant: string, work: () => T): T;
  /** For what outlives a request, or serves several: its statements see all rows. */
  asService<T>(work: () => T): T;
  stats(): { total: number; idle: number; waiting: number };
  close(): Promise<void>;
}

export class StoreUnavailableError extends Error {
  override name = 'StoreUnavailableError';
}

export interface DatabaseOptions {
  databaseUrl: string;
  poolSize?: number;
  applicationName?: string;
  onError?: (error: Error) => void;
}

const MOST_ATTEMPTS = 3;
/** Groups are written one after the other, lanes beside them. */
const BULK_CONNECTIONS = 8;
const BY_KEY = '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off';

export function createDatabase({
  databaseUrl,
  poolSize = 20,
  applicationName = 'perdure',
  onError = () => {},
}: DatabaseOptions): Database {
  const connection = {
    connectionString: databaseUrl,
    application_name: applicationName,
    connectionTimeoutMillis: 2_000,
    keepAlive: true,
  };
  const limits = {
    ...connection,
    max: poolSize,
    idleTimeoutMillis: 30_000,
    // The server gives up first, so that a slow statement leaves a usable connection; the client's limit is for black holes.
    statement_timeout: 4_500,
    query_timeout: 5_000,
    // The first to wait in vain tells all others that the store is in trouble (api/middleware/patience.ts). Not before
    // the server has looked for a deadlock, after a second: that one is no trouble, and is run again.
    lock_timeout: 1_100,
    idle_in_transaction_session_timeout: 10_000,
  };
  const newPool = (more: pg.PoolConfig = {}) =>
    new pg.Pool({ ...limits, ...more })
      .on('error', (error) => {
        // pg hangs the whole client onto it: much for a log, and nobody's business there.
        Reflect.deleteProperty(error, 'client');
        onError(error);
      })
      // One that breaks while in use fails its query; without a listener it would end the process too.
      .on('connect', (client) => client.on('error', () => {}));
  const pool = newPool();
  const bulkPool = newPool({ max: BULK_CONNECTIONS, options: BY_KEY });
  let tenants: TenantPool | null = null;
  const names = new Map<string, string>();

  /** Statements are prepared under a name of their own: planned once per connection. */
  const prepared = (text: string, values: unknown[]) => {
    let name = names.get(text);
    if (!name && names.size < 500) names.set(text, (name = `s${names.size}`));
    return { name, text, values };
  };

  const acquire = (): Promise<pg.PoolClient> => {
    const tenant = tenants?.current() ?? null;
    return tenants && tenant !== null ? tenants.acquire(tenant) : pool.connect();
  };

  return {
    query: <Row>(text: string, values: unknown[] = []) =>
      unlessConflict(async () => {
        const client = await acquire();
        try {
          const { rows } = await client.query(prepared(text, values));
          client.release();
          return rows as Row[];
        } catch (error) {
          client.release(isUnavailable(error));
          throw error;
        }
      }),

    transaction: (work) =>
      unlessConflict(async () => {
        const client = await acquire();
        try {
          await client.query('begin');
          const result = await work({
            query: async <Row>(text: string, values: unknown[] = []) =>
              (await client.query(prepared(text, values))).rows as Row[],
          });
          await client.query('commit');
          client.release();
          return result;
        } catch (error) {
          client.release(isUnavailable(error) || !(await rolledBack(client)));
          throw error;
        }
      }),

    bulk: {
      query: <Row>(text: string, values: unknown[] = []) =>
        unlessConflict(async () => (await bulkPool.query(text, values)).rows as Row[]),
    },

    listen: (channel, onMessage) => listen(connection, channel, onMessage, onError),
    asTenant: (tenant, work) => (tenants ? tenants.run(tenant, work) : work()),
    asService: (work) => (tenants ? tenants.run(null, work) : work()),
    async isolateTenants() {
      // A pool of its own, so that a connection changes its tenant only where tenants take turns.
      const candidate = createTenantPool(newPool());
      const whyNot = await candidate.check();
      if (whyNot === null) tenants = candidate;
      else await candidate.close();
      if (isUnavailable(whyNot)) throw translate(whyNot);
      return whyNot && whyNot.message;
    },
    stats: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    async close() {
      await Promise.all([pool.end(), bulkPool.end(), tenants?.close()]);
    },
  };
}

/** What met a deadlock or a serialization failure is rolled back whole, and may be done again. */
async function unlessConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === MOST_ATTEMPTS || !isConflict(error)) throw translate(error);
    }
  }
}

async function rolledBack(client: pg.PoolClient): Promise<boolean> {
  return client.query('rollback').then(
    () => true,
    () => false,
  );
}

function listen(
  connection: pg.ClientConfig,
  channel: string,
  onMessage: (payload: string) => void,
  onError: (error: Error) => void,
): () => Promise<void> {
  let closed = false;
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;

  const connect = async () => {
    const next = new pg.Client(connection);
    client = next;
    next.on('error', onError);
    next.on('end', () => {
      if (!closed) retry = setTimeout(() => void connect(), 1_000);
    });
    next.on('notification', ({ payload }) => onMessage(payload ?? ''));
    try {
      await next.connect();
      await next.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      onError(error as Error);
      await next.end().catch(onError);
    }
  };
  void connect();
  return async () => {
    closed = true;
    clearTimeout(retry);
    await client?.end().catch(onError);
  };
}

function translate(error: unknown): unknown {
  if (!isUnavailable(error)) return error;
  return new StoreUnavailableError((error as Error).message, { cause: error });
}

function isConflict(error: unknown): boolean {
  return ['40001', '40P01'].includes(sqlState(error));
}

/** The connection failed, the server is shutting down or has no place for us, or a wait ran out. */
function isUnavailable(error: unknown): boolean {
  const state = sqlState(error);
  if (/^(08|57P0|53)/.test(state) || ['57014', '55P03', '25P03', '25006'].includes(state)) return true;
  if (/^E[A-Z]+$/.test(state)) return true;
  const message = error instanceof Error ? error.message : '';
  return /Connection terminated|connection timeout|timeout exceeded|Query read timeout|Client has encountered|Cannot use a pool/i.test(
    message,
  );
}

function sqlState(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
