// Failures whose message and stack are payloads, so that the codec encrypts them too; in use where encryption is on.
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
