// Writes openapi.json from what the server serves; with --check, fails when the committed file differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { build } from 'esbuild';
import { format, resolveConfig } from 'prettier';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const file = join(root, 'openapi.json');
const bundle = join(root, 'node_modules', '.cache', 'perdure-openapi.mjs');

await build({
  entryPoints: [join(root, 'src/api/openapi/index.ts')],
  outfile: bundle,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
});
const { buildOpenApi } = await import(pathToFileURL(bundle).href);
const served = await format(JSON.stringify(buildOpenApi()), { ...(await resolveConfig(file)), parser: 'json' });

if (!process.argv.includes('--check')) {
  writeFileSync(file, served);
} else if (readOrEmpty(file) !== served) {
  console.error('openapi.json is not what the server serves. Run: node scripts/openapi.mjs');
  process.exit(1);
}

function readOrEmpty(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}
