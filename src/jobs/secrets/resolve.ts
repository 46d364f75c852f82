// The headers of a call as its target gets them: secrets put in, sealed values opened, nowhere but in here.
import type { HeaderValue } from '../../contract/job.ts';
import { StoreUnavailableError } from '../../db/pool.ts';
import { UndecipherableError } from './keyring.ts';
import { isReference } from './references.ts';
import { isSealed, type Sealer } from './sealer.ts';
import type { SecretStore } from './store.ts';

export interface CallHeaders {
  ok: true;
  headers: Record<string, string>;
  /** Names of the headers that hold a secret, in lower case. */
  confidential: string[];
  /** What is taken out of the target's answer. */
  echoes: string[];
}

export type ResolvedHeaders = CallHeaders | { ok: false; code: 'secretNotFound' | 'secretUnreadable'; detail: string };

export type ResolveHeaders = ReturnType<typeof createResolveHeaders>;

/** Shorter ones stand in many an answer by chance. */
const MIN_ECHO_LENGTH = 8;
/** Of the headers given in plain only these hold nothing but credentials. */
const CREDENTIALS = /^(authorization|cookie)$/i;

export function createResolveHeaders({ sealer, secrets }: { sealer: Sealer; secrets: SecretStore }) {
  return async function resolveHeaders(tenant: string, headers: Record<string, HeaderValue>): Promise<ResolvedHeaders> {
    const call: CallHeaders = { ok: true, headers: {}, confidential: [], echoes: [] };
    for (const [name, value] of Object.entries(headers)) {
      try {
        if (isReference(value)) {
          const secret = await secrets.resolve(tenant, value.secret);
          if (secret === null) return notFound(name, value.secret);
          call.headers[name] = (value.format ?? '{}').replace('{}', () => secret);
          call.confidential.push(name.toLowerCase());
          call.echoes.push(secret);
        } else {
          const plain = isSealed(value) ? sealer.open(tenant, value) : value;
          call.headers[name] = plain;
          if (isSealed(value)) call.confidential.push(name.toLowerCase());
          if (CREDENTIALS.test(name)) call.echoes.push(plain, plain.split(' ').at(-1) ?? '');
        }
      } catch (error) {
        return unreadable(name, error);
      }
    }
    return { ...call, echoes: call.echoes.filter(({ length }) => length >= MIN_ECHO_LENGTH) };
  };
}

function notFound(header: string, name: string): ResolvedHeaders {
  return { ok: false, code: 'secretNotFound', detail: `The header ${header} needs the secret ${name}, which is gone.` };
}

/** A worker may have been given its keys too late, or the store may be away: neither says anything about the job. */
function unreadable(header: string, error: unknown): ResolvedHeaders {
  const isExpected = error instanceof UndecipherableError || error instanceof StoreUnavailableError;
  if (!isExpected) throw error;
  return { ok: false, code: 'secretUnreadable', detail: `The header ${header} cannot be read: ${error.message}.` };
}
