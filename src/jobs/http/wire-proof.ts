// Tells of each call whether a byte of it may have left this process: the difference between `notSent` and `unknown`.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

import { reachSoon } from '../../failpoint.ts';

export interface WireProof {
  /** Set when undici is about to write the request: from here on the target may have it. */
  written: boolean;
  targetAddress: string | null;
}

export interface WireProofs {
  /** `dispatch` has to hand exactly one request to undici before it returns. */
  watch<Result>(proof: WireProof, dispatch: () => Result): Result;
  close(): void;
}

const CREATED = 'undici:request:create';
const WRITING = 'undici:client:sendHeaders';
const INTERIM_100 = /^HTTP\/1\.[01] 100[ \r]/;

export function createWireProofs(): WireProofs {
  const proofs = new WeakMap<object, WireProof>();
  // undici creates its request inside the dispatching call, so whatever is created meanwhile belongs to this call.
  let dispatching: WireProof | null = null;

  const onCreated = (message: unknown): void => {
    if (dispatching) proofs.set((message as { request: object }).request, dispatching);
  };
  const onWriting = (message: unknown): void => {
    const { request, socket } = message as { request: object; socket: Socket };
    const proof = proofs.get(request);
    if (!proof) return;
    proof.written = true;
    proof.targetAddress = socket.remoteAddress ?? null;
    acceptContinue(socket);
    reachSoon('attempt.sent');
  };
  subscribe(CREATED, onCreated);
  subscribe(WRITING, onWriting);

  return {
    watch: (proof, dispatch) => {
      dispatching = proof;
      try {
        return dispatch();
      } finally {
        dispatching = null;
      }
    },
    close: () => {
      unsubscribe(CREATED, onCreated);
      unsubscribe(WRITING, onWriting);
    },
  };
}

/**
 * undici cuts the connection at a `100 Continue` it did not ask for, though RFC 9110 (15.2) has clients accept it and
 * some servers send it before every answer to a POST. It skips all other 1xx, so this one is shown to it as a 102.
 */
function acceptContinue(socket: Socket): void {
  const read = socket.read.bind(socket);
  socket.read = (size?: number): unknown => {
    const chunk: unknown = read(size);
    if (!Buffer.isBuffer(chunk)) return chunk;
    const interim = INTERIM_100.test(chunk.toString('latin1', 0, 13));
    if (interim) chunk[11] = '2'.charCodeAt(0);
    // Past the first chunk that is more than an interim answer there is only body, which is nobody's to change.
    if (!interim || !chunk.subarray(-4).equals(Buffer.from('\r\n\r\n'))) Reflect.deleteProperty(socket, 'read');
    return chunk;
  };
}
