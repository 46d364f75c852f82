// Holds every call to the limits that operators have set, whatever its job asks for.
import type { HttpSender } from './send.ts';

export interface SendLimits {
  maxTimeoutMs: number;
  maxResponseBytes: number;
}

export function limitSender(sender: HttpSender, limits: () => SendLimits): HttpSender {
  return {
    send(request, options) {
      const { maxTimeoutMs, maxResponseBytes } = limits();
      return sender.send(request, {
        ...options,
        timeoutMs: Math.min(options.timeoutMs, maxTimeoutMs),
        maxBodyBytes: Math.min(options.maxBodyBytes ?? maxResponseBytes, maxResponseBytes),
      });
    },
    close: () => sender.close(),
  };
}
