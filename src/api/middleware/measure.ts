// Counts and times requests by route pattern, never by path: ids are not labels.
import type { NextFunction, Request, Response } from 'express';

import type { Metrics } from '../../telemetry/metrics.ts';

export function createMeasure({ requestSeconds }: Metrics) {
  return function measure(request: Request, response: Response, next: NextFunction): void {
    const startedAt = performance.now();
    response.once('finish', () => {
      const route = (request.route as { path?: string } | undefined)?.path ?? 'none';
      const labels = { method: request.method, route, status: String(response.statusCode) };
      requestSeconds.observe(labels, (performance.now() - startedAt) / 1_000);
    });
    next();
  };
}
