// Builds dist/: the entries (one esbuild pass) and the workflow bundle the worker loads. `--if-stale` skips when no source changed.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

const entries = { main: 'src/main.ts', cli: 'src/cli/main.ts', client: 'src/client/index.ts' };
const mark = join('dist', '.sources');
const sources = sourceHash();
const fresh = existsSync(mark) && readFileSync(mark, 'utf8') === sources;
if (!(process.argv.includes('--if-stale') && fresh)) await build();

async function build() {
  const { build: bundle } = await import('esbuild');
  const draft = `dist.${process.pid}`;
  await bundle({
    entryPoints: Object.entries(entries)
      .filter(([, file]) => existsSync(file))
      .map(([out, file]) => ({ in: file, out })),
    outdir: draft,
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    logLevel: 'warning',
  });
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'src/workflows/index.ts'),
    // The worker keeps the whole bundle in memory, twice: inline source maps would be two thirds of it.
    webpackConfigHook: (config) => ({ ...config, devtool: 'inline-nosources-cheap-source-map' }),
    logger: { ...console, log: () => {}, trace: () => {}, debug: () => {}, info: () => {} },
  });
  writeFileSync(join(draft, 'workflow-bundle.js'), code);
  copyDocsUi(join(draft, 'docs-ui'));
  writeFileSync(join(draft, '.sources'), sources);
  // Swapped in whole: whoever builds at the same moment makes the same.
  rmSync('dist', { recursive: true, force: true });
  renameSync(draft, 'dist');
}

/** What /docs serves. Copied, so that who installs the package needs neither this dependency nor its own. */
function copyDocsUi(folder) {
  const files = ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE', 'NOTICE'];
  for (const file of files) cpSync(join('node_modules', 'swagger-ui-dist', file), join(folder, file));
}

function sourceHash() {
  const hash = createHash('sha256').update(readFileSync('package-lock.json'));
  for (const file of sourceFiles('src')) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

function sourceFiles(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? sourceFiles(path) : [path];
    })
    .filter((path) => /\.ts$/.test(path) && !/\.test\.ts$/.test(path));
}
