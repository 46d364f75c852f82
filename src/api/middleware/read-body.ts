// Reads the bytes of a body, as many as are allowed, and only when they are not encoded.
import type { Request } from 'express';

import { ApiError } from '../problem.ts';

/** A promise, because what awaits it goes on as the tenant it was (db/pool.ts); what listens to a socket does not. */
export async function readBody(request: Request, limitBytes: number): Promise<Buffer> {
  const { 'transfer-encoding': coding, 'content-length': length, 'content-encoding': encoding } = request.headers;
  if (coding === undefined && length === undefined) return Buffer.alloc(0);
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new ApiError('unsupportedMediaType', { detail: 'Send the body unencoded.' });
  }
  if (request.destroyed) throw new ApiError('invalidRequest');
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let size = 0;
    let isTooLarge = Number(length ?? 0) > limitBytes;
    // All of it is taken, also what is too much: who is still sending does not hear an answer.
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      isTooLarge ||= size > limitBytes;
      if (isTooLarge) chunks = [];
      else chunks.push(chunk);
    });
    request.on('end', () => {
      if (isTooLarge) reject(new ApiError('tooLarge'));
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    });
    request.on('close', () => {
      // Nobody is there to hear of it.
      if (!request.readableEnded) reject(new ApiError('invalidRequest'));
    });
  });
}
