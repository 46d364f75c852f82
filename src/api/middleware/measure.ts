// Counts and times requests by route pattern, never by path: ids are not labels.
import type { NextFunction, Request, Response } from 'express';

import type { Metrics } from '../../telemetry/metrics.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export function createMeasure({ requestSeconds }: Metrics) {
  return function measure(request: Request, response: Response, next: NextFunction): void {
    const startedAt = performance.now();
    response.once('finish', () => {
      const route = (request.route as { path?: string } | undefined)?.path ?? 'none';
      const method = METHODS.includes(request.method) ? request.method : 'other';
      const labels = { method, route, status: String(response.statusCode) };
      requestSeconds.observe(labels, (performance.now() - startedAt) / 1_000);
    });
    next();
  };
}
