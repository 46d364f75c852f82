// `perdure api-key`: makes, lists and revokes API keys; the first one straight in the database, when there is no token yet.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import type { ApiKey, NewApiKey, Scope } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import type { Connection } from '../connection.ts';
import { UsageError } from '../exit.ts';
import type { Io } from '../io.ts';
import { listOptions, readList } from '../listing.ts';
import { type Column, shortTime } from '../output.ts';

const TENANT = {
  type: 'string',
  value: 'TENANT',
  about: 'of which tenant; with a token, only the tenant `default` may choose',
} as const;

const columns: Column<ApiKey>[] = [
  { title: 'ID', value: (key) => key.id },
  { title: 'NAME', value: (key) => key.name },
  { title: 'BEGINS', value: (key) => key.prefix },
  { title: 'SCOPE', value: (key) => key.scopes.at(-1) },
  { title: 'TENANT', value: (key) => key.tenant },
  { title: 'EXPIRES', value: (key) => shortTime(key.expiresAt) },
  { title: 'LAST USED', value: (key) => shortTime(key.lastUsedAt) },
];

const create = defineCommand({
  name: 'api-key create',
  summary: 'Make an API key; it is shown once. Without a token and with DATABASE_URL, straight in that database',
  options: {
    name: { type: 'string', value: 'NAME', about: 'what it is for' },
    scopes: { type: 'string', value: 'SCOPES', about: 'read, submit, operate or admin; each includes those before it' },
    tenant: TENANT,
    'expires-in': { type: 'string', value: 'DURATION', about: 'such as 90d; never by default' },
  },
  examples: [
    'perdure api-key create --name first --scopes admin',
    'perdure api-key create --name ci --scopes submit --expires-in 90d',
  ],
  async action({ values, io, out, connection, client }) {
    const { name, scopes, tenant, 'expires-in': expiresIn } = values;
    if (name === undefined || scopes === undefined) throw new UsageError('--name and --scopes are needed');
    const made = isDirect(connection, io)
      ? ((await direct('create', flags({ name, scopes, tenant, 'expires-in': expiresIn }))) as NewApiKey)
      : await client.apiKeys.create({
          name,
          scopes: scopes.split(',') as Scope[],
          ...(tenant === undefined ? {} : { tenant }),
          ...(expiresIn === undefined ? {} : { expiresIn }),
        });
    out.item(made, (one) => ({ ...one, scopes: one.scopes.join(', ') }));
    if (!out.json) out.note('Keep the key now: it is not shown again.');
  },
});

const list = defineCommand({
  name: 'api-key list',
  summary: 'List API keys',
  options: { ...listOptions, tenant: { ...TENANT, about: 'of which tenant; only straight in the database' } },
  async action({ values, io, out, connection, client }) {
    const { limit, tenant } = values;
    const isOffline = isDirect(connection, io);
    if (tenant !== undefined && !isOffline) throw new UsageError('--tenant: a token lists the keys of its own tenant');
    const keys = isOffline
      ? ((await direct('list', flags({ tenant, limit }))) as ApiKey[])
      : await readList(limit, (pageSize) => client.apiKeys.list({ limit: pageSize }));
    out.table(keys, columns, 'No API keys.');
  },
});

const remove = defineCommand({
  name: 'api-key delete',
  args: '<id>',
  summary: 'Revoke an API key: it is refused from the next request on',
  options: { tenant: { ...TENANT, about: 'of which tenant; only straight in the database' } },
  async action({ values: { tenant }, args: [id = ''], io, out, connection, client }) {
    const isOffline = isDirect(connection, io);
    if (tenant !== undefined && !isOffline) throw new UsageError('--tenant: a token is for its own tenant');
    if (isOffline) await direct('delete', [id, ...flags({ tenant })]);
    else await client.apiKeys.delete(id);
    out.item({ id, deleted: true }, (one) => one);
  },
});

export const apiKey = [create, list, remove];

function isDirect({ token }: Connection, { env }: Io): boolean {
  return token === null && env.hasDatabase;
}

function flags(values: Record<string, string | undefined>): string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
}

/** The service's own entry does it: the command line knows neither PostgreSQL nor how keys are kept. */
async function direct(action: string, args: string[]): Promise<unknown> {
  // All of dist/ is built into one folder, whatever file this code ends up in.
  const entry = fileURLToPath(new URL('./main.js', import.meta.url));
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [entry, 'api-key', action, ...args]).catch((error: unknown) => {
    const { stderr } = error as { stderr?: string };
    throw new UsageError(stderr?.trim() || String(error));
  });
  return JSON.parse(stdout) as unknown;
}
