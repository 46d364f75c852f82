// The workflows table: definitions in numbered versions, each row written once.
import type { WorkflowDefinition } from '../language/definition.ts';
import type { Plan } from '../language/plan.ts';
import type { Database, Queryable } from './pool.ts';

export interface WorkflowRow {
  id: string;
  name: string;
  version: number;
  description: string | null;
  definition: WorkflowDefinition;
  plan: Plan;
  createdAt: Date;
}

export interface NewWorkflow {
  tenant: string;
  name: string;
  definition: WorkflowDefinition;
  plan: Plan;
  fingerprint: string;
}

export const WORKFLOW_COLUMNS = `name as id, name, version, description, definition, plan, created_at as "createdAt"`;

/** The latest version of each name. */
export const LATEST_WORKFLOWS = `(select distinct on (tenant, name) *, name as id from workflows where deleted_at is null
  order by tenant, name, version desc) latest`;

export async function putWorkflow(
  db: Database,
  { tenant, name, definition, plan, fingerprint }: NewWorkflow,
): Promise<{ created: boolean; row: WorkflowRow }> {
  return db.transaction(async (tx) => {
    // One writer per name: versions have no gaps and no doubles.
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`workflow ${tenant} ${name}`]);
    const [latest] = await tx.query<WorkflowRow & { fingerprint: string; deleted: boolean }>(
      `select ${WORKFLOW_COLUMNS}, fingerprint, deleted_at is not null as deleted from workflows
       where tenant = $1 and name = $2 order by version desc limit 1`,
      [tenant, name],
    );
    if (latest && !latest.deleted && latest.fingerprint === fingerprint) return { created: false, row: latest };
    const [row] = await tx.query<WorkflowRow>(
      `insert into workflows (tenant, name, version, description, definition, plan, fingerprint, created_at)
       values ($1, $2, $3, $4::jsonb ->> 'description', $4::jsonb, $5::jsonb, $6, now()) returning ${WORKFLOW_COLUMNS}`,
      [tenant, name, (latest?.version ?? 0) + 1, JSON.stringify(definition), JSON.stringify(plan), fingerprint],
    );
    if (!row) throw new Error('a workflow was not inserted');
    return { created: true, row };
  });
}

/** Of `version`, or the latest one. */
export async function findWorkflow(
  db: Queryable,
  tenant: string,
  name: string,
  version: number | null = null,
): Promise<WorkflowRow | null> {
  const rows = await db.query<WorkflowRow>(
    `select ${WORKFLOW_COLUMNS} from workflows
     where tenant = $1 and name = $2 and ($3::integer is null or version = $3) and deleted_at is null
     order by version desc limit 1`,
    [tenant, name, version],
  );
  return rows[0] ?? null;
}

/** Runs keep the version they started with. */
export async function deleteWorkflow(db: Queryable, tenant: string, name: string): Promise<boolean> {
  const rows = await db.query(
    'update workflows set deleted_at = now() where tenant = $1 and name = $2 and deleted_at is null returning version',
    [tenant, name],
  );
  return rows.length > 0;
}
