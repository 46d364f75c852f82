// Encrypts what users gave in plain although it is secret (sensitive headers, secrets of webhooks) before it is stored.
//
// A value is plain in the request only. Stored it is sealed, `{sealed: "<key id>.<base64url>"}`, readable for its tenant
// alone; it is opened for the call itself (resolve.ts) and never shown. Without a master key it stays as it was sent.
import { randomBytes } from 'node:crypto';

import type { JobSpec, NotifyRule, SealedValue } from '../../contract/job.ts';
import type { WorkflowDefinition } from '../../language/definition.ts';
import { isMembers } from '../spec/rules.ts';
import { type Keyring, UndecipherableError } from './keyring.ts';
import { mapDefinition, mapJob, mapRules, type Visit } from './places.ts';

export type Sealer = ReturnType<typeof createSealer>;

export function createSealer({
  keyring,
  isSecretHeader,
}: {
  keyring: Keyring | null;
  isSecretHeader: (name: string) => boolean;
}) {
  const seal = (tenant: string, text: string): SealedValue | string => {
    if (!keyring) return text;
    const { keyId, bytes } = keyring.encrypt('header', Buffer.from(text), aadOf(tenant));
    return { sealed: `${keyId}.${bytes.toString('base64url')}` };
  };

  const open = (tenant: string, { sealed }: SealedValue): string => {
    if (!keyring) throw new UndecipherableError('there is no master key');
    const [keyId = '', text = ''] = sealed.split('.');
    const bytes = Buffer.from(text, 'base64url');
    return keyring.decrypt('header', { keyId, bytes }, aadOf(tenant)).toString();
  };

  const sealing =
    (tenant: string, mayBeTemplate = false): Visit =>
    (value, place) => {
      if (typeof value !== 'string') return value;
      if (place.kind === 'header' && !isSecretHeader(place.name)) return value;
      // An expression is filled in by the run; what it gives is sealed with the call.
      return mayBeTemplate && value.includes('${') ? value : seal(tenant, value);
    };

  return {
    open,
    needsSeal({ http }: JobSpec): boolean {
      const isPlain = ([name, value]: [string, unknown]) => typeof value === 'string' && isSecretHeader(name);
      return keyring !== null && Object.entries(http.headers).some(isPlain);
    },
    job: (tenant: string, spec: JobSpec): JobSpec => mapJob(spec, sealing(tenant)),
    definition: (tenant: string, definition: WorkflowDefinition): WorkflowDefinition =>
      mapDefinition(definition, sealing(tenant, true)),
    rules: (tenant: string, rules: NotifyRule[]): NotifyRule[] => mapRules(rules, sealing(tenant)),
    /** Of jobs and runs alike, for operations that keep it until it is its turn. */
    patch: <T>(tenant: string, patch: T): T => mapPatch(patch, sealing(tenant, true)),
    openPatch: <T>(tenant: string, patch: T): T =>
      mapPatch(patch, (value) => (isSealed(value) ? open(tenant, value) : value)),
  };
}

export function isSealed(value: unknown): value is SealedValue {
  return isMembers(value) && typeof value.sealed === 'string' && Object.keys(value).length === 1;
}

/**
 * What is sealed passes through the checks of what users send as a text that nobody can guess, and that is legal in every
 * place; `restore` puts it back wherever it is then.
 */
export function setSealedAside<T>(
  value: T,
  map: typeof mapJob | typeof mapDefinition,
): { value: T; restore: <R>(checked: R) => R } {
  const kept = new Map<string, SealedValue>();
  const without = map(value, (held) => {
    if (!isSealed(held)) return held;
    const stand = `whsec_${randomBytes(32).toString('base64')}`;
    kept.set(stand, held);
    return stand;
  });
  return {
    value: without,
    restore: (checked) =>
      kept.size === 0 ? checked : map(checked, (held) => (typeof held === 'string' && kept.get(held)) || held),
  };
}

function mapPatch<T>(patch: T, visit: Visit): T {
  const mapped = mapJob(patch, visit);
  if (!isMembers(mapped) || !isMembers(mapped.definition)) return mapped;
  return { ...mapped, definition: mapDefinition(mapped.definition, visit) };
}

function aadOf(tenant: string): string {
  return `perdure header\n${tenant}`;
}
