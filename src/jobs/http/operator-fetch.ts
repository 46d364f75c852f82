// Reads a document from an address that the operator configured: guarded as every call, but inside addresses are allowed.
import { parseEgress } from './egress.ts';
import { createHttpSender } from './send.ts';

export interface OperatorFetch {
  /** Throws when it was not answered. Redirects are not followed: the address is the one that was configured. */
  get(url: string, options: { timeoutMs: number; maxBytes: number }): Promise<{ status: number; body: Buffer }>;
  close(): Promise<void>;
}

export function createOperatorFetch(): OperatorFetch {
  const policy = parseEgress('any');
  const sender = createHttpSender({ getPolicy: () => policy });
  return {
    async get(url, { timeoutMs, maxBytes }) {
      const request = { method: 'GET', url, headers: { accept: 'application/json' }, followRedirects: false };
      const outcome = await sender.send(request, { timeoutMs, maxBodyBytes: maxBytes });
      if (outcome.kind !== 'answered') throw new Error(`${url}: ${outcome.detail}`);
      if (outcome.truncated) throw new Error(`${url}: the answer is incomplete, or longer than ${maxBytes} bytes`);
      return { status: outcome.status, body: outcome.body };
    },
    close: () => sender.close(),
  };
}
