// undici cuts the connection at a `100 Continue` it did not ask for, though RFC 9110 (15.2) has clients accept it and
// some servers send it before every answer to a POST. It skips all other 1xx, so this one is shown to it as a 102.
import type { Socket } from 'node:net';

const INTERIM_100 = /^HTTP\/1\.[01] 100[ \r]/;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** Returns what to call whenever a request is about to be written: until its answer begins, an interim one may come. */
export function acceptContinue(socket: Socket): () => void {
  const read = socket.read.bind(socket);
  let expected = false;
  socket.read = (size?: number): unknown => {
    const chunk: unknown = read(size);
    if (!expected || !Buffer.isBuffer(chunk)) return chunk;
    const interim = INTERIM_100.test(chunk.toString('latin1', 0, 13));
    if (interim) chunk[11] = '2'.charCodeAt(0);
    // Past the first chunk that is more than an interim answer there is only body, which is nobody's to change.
    expected = interim && chunk.subarray(-4).equals(END_OF_HEAD);
    return chunk;
  };
  return () => (expected = true);
}
