// The long suites: full-size fault tests, one file after the other.
import { defineConfig } from 'vitest/config';

import base from './vitest.config.ts';

export default defineConfig({
  test: { ...base.test, include: ['src/**/*.long.test.ts', 'bench/**/*.test.ts'], exclude: [], fileParallelism: false },
});
