// Which secrets a job or a definition names, and which of them do not exist: one question for all.
import type { SecretReference } from '../../contract/job.ts';
import type { FieldFault } from '../../contract/problem.ts';
import type { Queryable } from '../../db/pool.ts';
import { secretsAmong } from '../../db/secrets.ts';
import { isMembers } from '../spec/rules.ts';
import { mapDefinition, mapJob } from './places.ts';

export interface PlacedReference {
  name: string;
  pointer: string;
}

export function isReference(value: unknown): value is SecretReference {
  return isMembers(value) && typeof value.secret === 'string';
}

export function referencesOfJob(job: unknown, base = ''): PlacedReference[] {
  return collect(job, mapJob, base);
}

export function referencesOfDefinition(definition: unknown, base = ''): PlacedReference[] {
  return collect(definition, mapDefinition, base);
}

export async function unknownSecrets(
  db: Queryable,
  tenant: string,
  references: PlacedReference[],
): Promise<FieldFault[]> {
  if (references.length === 0) return [];
  const known = new Set(await secretsAmong(db, tenant, [...new Set(references.map(({ name }) => name))]));
  return references
    .filter(({ name }) => !known.has(name))
    .map(({ name, pointer }) => ({ pointer, detail: `There is no secret ${name}.` }));
}

function collect(value: unknown, map: typeof mapJob | typeof mapDefinition, base: string): PlacedReference[] {
  const found: PlacedReference[] = [];
  const note = (held: unknown, { pointer }: { pointer: string }) => {
    if (isReference(held)) found.push({ name: held.secret, pointer: `${pointer}/secret` });
    return held;
  };
  map(value, note, base);
  return found;
}
