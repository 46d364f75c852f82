// This process: its version, the requests it answered, and the connections to PostgreSQL it holds.
import { Gauge, Histogram, type Registry } from 'prom-client';

import { version } from '../version.ts';

export interface PoolStats {
  /** Connections there are, and how many of them are not in use. */
  total: number;
  idle: number;
  /** Statements that wait for a connection. */
  waiting: number;
}

export function createProcessMetrics(registry: Registry) {
  const registers = [registry];
  new Gauge({ name: 'perdure_build_info', help: 'Always 1.', labelNames: ['version'], registers }).set({ version }, 1);
  return {
    requestSeconds: new Histogram({
      name: 'perdure_http_request_duration_seconds',
      help: 'API requests by route; `none` is what no route matched.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 60],
      registers,
    }),
  };
}

export function measurePool(registry: Registry, stats: () => PoolStats, max: number): void {
  const registers = [registry];
  new Gauge({
    name: 'perdure_db_connections',
    help: 'Connections to PostgreSQL of this process: used, idle.',
    labelNames: ['state'],
    registers,
    collect() {
      const { total, idle } = stats();
      this.set({ state: 'used' }, total - idle);
      this.set({ state: 'idle' }, idle);
    },
  });
  new Gauge({ name: 'perdure_db_connections_max', help: 'Connections this process may hold.', registers }).set(max);
  new Gauge({
    name: 'perdure_db_waiting',
    help: 'Statements of this process that wait for a connection.',
    registers,
    collect() {
      this.set(stats().waiting);
    },
  });
}
