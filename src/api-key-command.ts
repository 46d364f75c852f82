// `main.js api-key create|list|delete`: API keys straight in PostgreSQL, for whoever has no token yet or no API at hand.
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';

import { createApiKey } from './api/auth/api-keys.ts';
import { keyView, newKeyView } from './api/routes/api-keys.ts';
import { newApiKeySchema, timeAfter } from './api/schemas/api-key.ts';
import { type Config, ConfigError } from './config.ts';
import { DEFAULT_TENANT } from './contract/access.ts';
import { API_KEY_LIST, type ApiKeyRow, deleteApiKey } from './db/api-keys.ts';
import { type AuditRow, insertAuditRows } from './db/audit.ts';
import { listPage } from './db/list.ts';
import { assertSchemaVersion } from './db/migrate.ts';
import { createDatabase, type Database } from './db/pool.ts';
import { newId } from './jobs/ids.ts';
import { parseBySchema } from './jobs/spec/faults.ts';

const OPTIONS = {
  name: { type: 'string' },
  scopes: { type: 'string' },
  tenant: { type: 'string', default: DEFAULT_TENANT },
  'expires-in': { type: 'string' },
  limit: { type: 'string', default: '50' },
} as const;

/** Answers what it prints. */
export async function runApiKeyCommand(args: string[], { databaseUrl }: Config): Promise<unknown> {
  if (!databaseUrl) {
    throw new ConfigError(
      'DATABASE_URL: "api-key" needs a PostgreSQL; for the embedded one set PERDURE_BOOTSTRAP_KEY.',
    );
  }
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const db = createDatabase({ databaseUrl, poolSize: 2 });
  try {
    await assertSchemaVersion(db);
    const [action, id] = positionals;
    if (action === 'create') return await create(db, values);
    if (action === 'list') return await list(db, values.tenant, Number(values.limit));
    if (action === 'delete' && id) return await remove(db, values.tenant, id);
    throw new Error('api-key: use create --name N --scopes S, list, or delete <id>; each with --tenant T');
  } finally {
    await db.close();
  }
}

type Values = { name?: string; scopes?: string; tenant: string; 'expires-in'?: string };

async function create(db: Database, { name, scopes, tenant, 'expires-in': expiresIn }: Values): Promise<unknown> {
  const input = { name, scopes: scopes?.split(','), tenant, expiresIn };
  const parsed = parseBySchema(newApiKeySchema, input);
  if (!parsed.ok) throw new Error(parsed.faults.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('\n'));
  const expiresAt = timeAfter(expiresIn, new Date());
  return db.transaction(async (tx) => {
    const made = await createApiKey(tx, { name: parsed.value.name, scopes: parsed.value.scopes, tenant, expiresAt });
    const detail = { name: made.name, scopes: made.scopes, tenant, prefix: made.prefix };
    await insertAuditRows(tx, [auditRow(tenant, 'apiKey.create', made.id, detail)]);
    return newKeyView(made);
  });
}

async function list(db: Database, tenant: string, limit: number): Promise<unknown> {
  const page = { limit, cursor: null, createdAfter: null, createdBefore: null, filters: {} };
  const { items } = await listPage<ApiKeyRow>(db, API_KEY_LIST, tenant, page);
  return items.map(keyView);
}

async function remove(db: Database, tenant: string, id: string): Promise<unknown> {
  return db.transaction(async (tx) => {
    if (!(await deleteApiKey(tx, tenant, id))) throw new Error(`There is no API key ${id} of the tenant "${tenant}".`);
    await insertAuditRows(tx, [auditRow(tenant, 'apiKey.delete', id, {})]);
    return { id, deleted: true };
  });
}

/** Whoever can write to the database answers to nobody's token; that is worth a row all the more. */
function auditRow(tenant: string, action: string, targetId: string, detail: Record<string, unknown>): AuditRow {
  return {
    id: newId('aud'),
    ...{ tenant, action, targetId, targetKind: 'apiKey' },
    actor: `cli:${userInfo().username}`,
    auth: 'none',
    requestId: newId('aud'),
    detail,
    createdAt: new Date(),
  };
}
