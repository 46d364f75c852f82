// The workflow that a schedule runs: checked when the schedule is put, and again whenever its time comes.
import type { FieldFault } from '../../contract/problem.ts';
import type { WorkflowAction } from '../../contract/schedule.ts';
import type { Queryable } from '../../db/pool.ts';
import { findWorkflow, type WorkflowRow } from '../../db/workflows.ts';
import { inputFaults } from '../runs/definition.ts';

export type FoundAction = { ok: true; workflow: WorkflowRow } | { ok: false; fault: FieldFault };

export async function findAction(
  db: Queryable,
  tenant: string,
  { name, version, input }: WorkflowAction,
): Promise<FoundAction> {
  const workflow = await findWorkflow(db, tenant, name, version);
  if (!workflow) return { ok: false, fault: await missingFault(db, tenant, name, version) };
  const [fault] = inputFaults(workflow.definition, input, '/workflow/input');
  return fault ? { ok: false, fault } : { ok: true, workflow };
}

async function missingFault(db: Queryable, tenant: string, name: string, version: number | null): Promise<FieldFault> {
  const isVersion = version !== null && (await findWorkflow(db, tenant, name)) !== null;
  return isVersion
    ? { pointer: '/workflow/version', detail: `There is no version ${version} of ${name}.` }
    : { pointer: '/workflow/name', detail: `There is no workflow ${name}.` };
}
