// One PostgreSQL and one Temporal for all files (global-setup), a forked process per file.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{src,grafana,chaos}/**/*.test.ts'],
    exclude: ['**/*.long.test.ts', '**/*.prometheus.test.ts'],
    globalSetup: ['src/testing/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Real servers on a shared machine miss a moment now and then. What fails twice has found something; the report names what needed it.
    retry: process.env.CI ? 1 : 0,
  },
});
