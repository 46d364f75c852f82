// One request on one connection, and of its answer as much as is kept.
//
// Not undici's `request`: its stream, its resource and its promises cost more than all the rest of a call.
import { type Dispatcher, errors } from 'undici';

import { reachSoon } from '../../failpoint.ts';
import type { Lease } from './guarded-dispatcher.ts';

/** Whether a byte of the call may have left this process: the difference between `notSent` and `unknown`. */
export interface WireProof {
  /** Set when undici is about to write the request: from here on the target may have it. */
  written: boolean;
  targetAddress: string | null;
}

export interface KeptAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  truncated: boolean;
}

/** Fails only before the status line has come: it decides the outcome, a body that breaks off is only incomplete. */
export function exchange(
  { client, begin }: Lease,
  request: Dispatcher.DispatchOptions,
  { maxBodyBytes, proof }: { maxBodyBytes: number; proof: WireProof },
): Promise<KeptAnswer> {
  // Its answer would be a connection.
  if (request.method === 'CONNECT') return Promise.reject(new errors.InvalidArgumentError('invalid method'));
  return new Promise((resolve, reject) => {
    const kept: Uint8Array[] = [];
    let left = maxBodyBytes;
    let status = 0;
    let headers: KeptAnswer['headers'] = {};
    const finish = (truncated: boolean) => resolve({ status, headers, body: Buffer.concat(kept), truncated });
    client.dispatch(request, {
      onRequestStart() {
        proof.written = true;
        proof.targetAddress = begin();
        reachSoon('attempt.sent');
      },
      onResponseStart(_controller, statusCode, responseHeaders) {
        // Interim answers come first, any number of them.
        if (statusCode >= 200) [status, headers] = [statusCode, responseHeaders];
      },
      onResponseData(_controller, chunk) {
        kept.push(chunk.subarray(0, left));
        // Whoever asked ends the connection: nothing more is wanted of it.
        if (chunk.length > left) finish(true);
        left -= Math.min(chunk.length, left);
      },
      onResponseEnd: () => finish(false),
      onResponseError(_controller, error) {
        if (status > 0) finish(true);
        else reject(error);
      },
    });
  });
}
