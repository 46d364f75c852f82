// The proof that dashboards and alerts show something: the whole product, a load, and a real Prometheus.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['grafana/**/*.prometheus.test.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
