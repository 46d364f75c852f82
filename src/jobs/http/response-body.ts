// Reads an answer's body as far as it comes and no further than allowed.
export interface KeptBody {
  body: Buffer;
  truncated: boolean;
}

/** Never throws: the status line has decided the outcome, a body that breaks off is only incomplete. */
export async function readBody(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<KeptBody> {
  const kept: Uint8Array[] = [];
  let left = maxBytes;
  let truncated = false;
  try {
    for await (const chunk of chunks) {
      kept.push(chunk.subarray(0, left));
      truncated = chunk.length > left;
      left -= Math.min(chunk.length, left);
      if (truncated) break;
    }
  } catch {
    truncated = true;
  }
  return { body: Buffer.concat(kept), truncated };
}
