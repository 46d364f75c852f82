// `npm run bench`: builds what is measured and what measures it, then runs bench/main.ts with the arguments given.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entries = join(root, 'node_modules', '.cache', 'perdure-bench');
await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'bench/main.ts',
    receiver: 'bench/receiver.ts',
    'baseline-process': 'bench/systems/baseline-process.ts',
  },
  outdir: entries,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
});
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', join(entries, 'main.mjs'), ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, BENCH_ENTRIES: entries, BENCH_ROOT: root },
  },
);
process.exit(status ?? 1);
