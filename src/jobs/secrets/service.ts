// All about secrets that the API and the workers share, built once per process.
import { DefaultFailureConverter, defaultPayloadConverter, type LoadedDataConverter } from '@temporalio/common';

import type { Database } from '../../db/pool.ts';
import { createKeyring, type MasterKey } from './keyring.ts';
import { createPayloadCodec, type EncryptionMode } from './payload-codec.ts';
import { createRedaction } from './redaction.ts';
import { createResolveHeaders } from './resolve.ts';
import { createSealer } from './sealer.ts';
import { createSecretStore } from './store.ts';

export type SecretServices = ReturnType<typeof createSecretServices>;

export function createSecretServices({
  db,
  masterKeys,
  encryption,
  namespace,
  redact,
}: {
  db: Database;
  masterKeys: MasterKey[];
  encryption: EncryptionMode;
  namespace: string;
  redact: readonly string[];
}) {
  const keyring = masterKeys.length > 0 ? createKeyring(masterKeys) : null;
  if (!keyring && encryption !== 'off') {
    throw new Error('PERDURE_ENCRYPTION needs PERDURE_MASTER_KEY, and there is none');
  }
  const redaction = createRedaction(redact);
  const secrets = createSecretStore({ db, keyring });
  const sealer = createSealer({ keyring, isSecretHeader: redaction.isSecretHeader });
  const allowPlain = encryption === 'migrate';
  return {
    redaction,
    secrets,
    sealer,
    resolveHeaders: createResolveHeaders({ sealer, secrets }),
    hasMasterKey: keyring !== null,
    /** For the codec endpoint, which reads whatever it can. */
    viewerCodec: keyring && createPayloadCodec({ keyring, namespace, allowPlain: true }),
    /** Null where Temporal's copy is plain. */
    payloadCodec: keyring && encryption !== 'off' ? createPayloadCodec({ keyring, namespace, allowPlain }) : null,
  };
}

/** The client's; a worker loads the same failure converter by its path. */
export function dataConverterOf({
  payloadCodec,
}: Pick<SecretServices, 'payloadCodec'>): LoadedDataConverter | undefined {
  if (!payloadCodec) return undefined;
  return {
    payloadConverter: defaultPayloadConverter,
    failureConverter: new DefaultFailureConverter({ encodeCommonAttributes: true }),
    payloadCodecs: [payloadCodec],
  };
}
