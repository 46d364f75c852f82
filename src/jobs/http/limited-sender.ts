// Holds every call to the limits that operators have set, whatever its job asks for.
import type { HttpSender } from './send.ts';

export interface SendLimits {
  maxTimeoutMs: number;
  maxResponseBytes: number;
}

/** No limits until they are set. */
export function limitSender(sender: HttpSender): { sender: HttpSender; setLimits: (limits: SendLimits) => void } {
  let limits: SendLimits = { maxTimeoutMs: Infinity, maxResponseBytes: Infinity };
  const limited: HttpSender = {
    send(request, options) {
      const { maxTimeoutMs, maxResponseBytes } = limits;
      return sender.send(request, {
        ...options,
        timeoutMs: Math.min(options.timeoutMs, maxTimeoutMs),
        maxBodyBytes: Math.min(options.maxBodyBytes ?? maxResponseBytes, maxResponseBytes),
      });
    },
    close: () => sender.close(),
  };
  return { sender: limited, setLimits: (next) => (limits = next) };
}
