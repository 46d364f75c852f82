// What the environment says about secrets: the master keys, whether Temporal's copy is encrypted, what answers hide.
import { z } from 'zod';

import { valueOrFile, VariableError } from './file-variable.ts';
import { type MasterKey, parseMasterKeys } from './jobs/secrets/keyring.ts';
import type { EncryptionMode } from './jobs/secrets/payload-codec.ts';

const filled = z.string().min(1);

export const SECRETS_VARIABLES = {
  PERDURE_MASTER_KEY: filled.optional(),
  PERDURE_MASTER_KEY_FILE: filled.optional(),
  PERDURE_ENCRYPTION: z.enum(['off', 'migrate', 'on']).default('off'),
  PERDURE_CODEC_ORIGIN: filled.optional(),
  PERDURE_REDACT: z.string().default(''),
};

type SecretsVariables = z.output<z.ZodObject<typeof SECRETS_VARIABLES>>;

export interface SecretsSettings {
  /** The first encrypts; none where the environment gives none. */
  masterKeys: MasterKey[];
  encryption: EncryptionMode;
  /** The page that may ask for decoded payloads: the Temporal Web UI. */
  codecOrigin: string | null;
  /** Names of headers and fields that answers hide besides our own. */
  redact: string[];
}

/** Throws a VariableError, which never holds a key. */
export function secretsSettings(env: SecretsVariables): SecretsSettings {
  const text = valueOrFile(env, 'PERDURE_MASTER_KEY');
  return {
    masterKeys: text === null ? [] : masterKeys(text),
    encryption: env.PERDURE_ENCRYPTION,
    codecOrigin: codecOrigin(env.PERDURE_CODEC_ORIGIN),
    redact: env.PERDURE_REDACT.split(',').flatMap((name) => name.trim() || []),
  };
}

function masterKeys(text: string): MasterKey[] {
  try {
    return parseMasterKeys(text);
  } catch (error) {
    throw new VariableError(`PERDURE_MASTER_KEY: ${(error as Error).message}; make one: openssl rand -base64 32`);
  }
}

/** Exactly what a browser sends as `Origin`. */
function codecOrigin(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (URL.canParse(text) && new URL(text).origin === text) return text;
  throw new VariableError('PERDURE_CODEC_ORIGIN: must be one origin such as https://temporal.example.com');
}
