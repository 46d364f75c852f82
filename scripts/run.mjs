// Runs a TypeScript file: node scripts/run.mjs <file> [arguments]. Node 20 cannot do it by itself.
import { rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [, , file = '', ...rest] = process.argv;
// Beside the packages it imports, and of its own so that two at once do not meet.
const bundle = join(root, 'node_modules', '.cache', `run-${basename(file, '.ts')}-${process.pid}.mjs`);
process.on('exit', () => rmSync(bundle, { force: true }));
await build({
  entryPoints: [resolve(file)],
  outfile: bundle,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
});
process.argv = [process.argv[0], file, ...rest];
await import(pathToFileURL(bundle).href);
