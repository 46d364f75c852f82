// Builds dist/: the service, the packages others import (ESM, CommonJS, types) and the workflow bundle the worker loads.
// `--if-stale` skips when no source changed.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

const programs = { main: 'src/main.ts', cli: 'src/cli/main.ts' };
/** What others import: no dependency, nothing of Node's. */
const libraries = { client: 'src/client/index.ts', temporal: 'src/client/temporal.ts' };
const mark = join('dist', '.sources');
const sources = sourceHash();
const fresh = existsSync(mark) && readFileSync(mark, 'utf8') === sources;
if (!(process.argv.includes('--if-stale') && fresh)) await build();

async function build() {
  const { build: bundle } = await import('esbuild');
  const draft = `dist.${process.pid}`;
  const common = { bundle: true, outdir: draft, target: 'node20', sourcemap: true, logLevel: 'warning' };
  const node = { ...common, platform: 'node', packages: 'external' };
  await bundle({ ...node, entryPoints: programs, format: 'esm', splitting: true });
  await bundle({ ...common, entryPoints: libraries, platform: 'neutral', format: 'esm' });
  await bundle({
    ...common,
    entryPoints: libraries,
    platform: 'neutral',
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
  });
  await writeTypes(join(draft, 'types'));
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const workflowsPath = join(root, 'src/workflows/index.ts');
  const workflows = {
    workflowsPath,
    // Evaluated once a worker and not once a workflow, which took longer than the workflow: no module of ours has state.
    preloadModules: [workflowsPath],
    // The worker keeps the whole bundle in memory, twice: inline source maps would be two thirds of it.
    webpackConfigHook: (config) => ({ ...config, devtool: 'inline-nosources-cheap-source-map' }),
    logger: { ...console, log: () => {}, trace: () => {}, debug: () => {}, info: () => {} },
  };
  writeFileSync(join(draft, 'workflow-bundle.js'), (await bundleWorkflowCode(workflows)).code);
  // With PERDURE_ENCRYPTION failures are payloads too: in the sandbox by this bundle, outside of it by the file beside it.
  const failureConverterPath = join(root, 'src/workflows/failure-converter.ts');
  const encrypted = await bundleWorkflowCode({ ...workflows, failureConverterPath });
  writeFileSync(join(draft, 'workflow-bundle.encrypted.js'), encrypted.code);
  await bundle({
    ...node,
    entryPoints: [failureConverterPath],
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    sourcemap: false,
  });
  copyDocsUi(join(draft, 'docs-ui'));
  writeFileSync(join(draft, '.sources'), sources);
  // Swapped in whole: whoever builds at the same moment makes the same.
  rmSync('dist', { recursive: true, force: true });
  renameSync(draft, 'dist');
}

/** The types of the libraries twice, as importers of ES modules and of CommonJS must find them. */
async function writeTypes(folder) {
  const { default: ts } = await import('typescript');
  const { config } = ts.readConfigFile('tsconfig.json', (file) => readFileSync(file, 'utf8'));
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const emit = { noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: join(root, 'src') };
  const program = ts.createProgram(Object.values(libraries), { ...options, ...emit, outDir: folder });
  const { diagnostics } = program.emit(undefined, (file, text) => {
    mkdirSync(dirname(file), { recursive: true });
    for (const kind of ['', 'c']) {
      writeFileSync(
        file.replace(/\.ts$/, `.${kind}ts`),
        text.replace(/(['"])(\.{1,2}\/[^'"]+)\.ts\1/g, `$1$2.${kind}js$1`),
      );
    }
  });
  if (diagnostics.length > 0) throw new Error(ts.formatDiagnostics(diagnostics, ts.createCompilerHost(options)));
}

/** What /docs serves. Copied, so that who installs the package needs neither this dependency nor its own. */
function copyDocsUi(folder) {
  const files = ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE', 'NOTICE'];
  for (const file of files) cpSync(join('node_modules', 'swagger-ui-dist', file), join(folder, file));
}

function sourceHash() {
  const hash = createHash('sha256').update(readFileSync('package-lock.json'));
  hash.update(readFileSync(fileURLToPath(import.meta.url)));
  for (const file of sourceFiles('src')) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

function sourceFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((path) => /\.ts$/.test(path) && !/\.test\.ts$/.test(path))
    .sort()
    .map((path) => join(folder, path));
}
