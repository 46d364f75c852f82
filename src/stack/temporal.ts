// An embedded Temporal server with its Web UI, its state in a file of the data folder.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';

import { endOrphan, findTemporal, temporalMarkFile } from './orphans.ts';
import { requirePort } from './ports.ts';
import { type Child, lastLines, spawnServer, stopProcess, type StopSteps } from './process.ts';

export interface TemporalOptions {
  binary: string;
  dataDir: string;
  port: number;
  uiPort: number;
  metricsPort?: number | undefined;
  onProgress: (line: string) => void;
  onUnexpectedExit?: ((message: string) => void) | undefined;
}

export interface Temporal {
  address: string;
  uiUrl: string;
  pid: number;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const STOP_STEPS: StopSteps = [
  ['SIGTERM', 5_000],
  ['SIGKILL', 1_000],
];
/** Ids of finished workflows stay known for this long; the 24 hours of a development server are too few to look back. */
const RETENTION_MS = 30 * 86_400_000;

/**
 * One history shard polls its queues 20 times a second by default: each workflow task would wait up to 50 ms.
 * Fairness keys are ignored without the flag, and 30 schedule starts a second are too few.
 */
export const DYNAMIC_CONFIG = [
  'history.transferProcessorMaxPollRPS=1000',
  'history.timerProcessorMaxPollRPS=1000',
  'history.visibilityProcessorMaxPollRPS=1000',
  'worker.schedulerNamespaceStartWorkflowRPS=1000',
  'matching.enableFairness=true',
];
/** Without them each workflow task waits for a full disk sync of a rollback journal. */
const SQLITE_PRAGMAS = ['journal_mode=wal', 'synchronous=NORMAL'];

export async function startTemporal(options: TemporalOptions): Promise<Temporal> {
  const { binary, dataDir, port, uiPort, metricsPort } = options;
  const database = join(dataDir, 'temporal.db');
  const markFile = temporalMarkFile(dataDir);
  const logFile = join(dataDir, 'logs', 'temporal.log');
  const { onProgress } = options;
  await endOrphan(findTemporal(dataDir), { what: 'Temporal server', steps: STOP_STEPS, onProgress });
  await requirePort(port, 'Temporal', 'PERDURE_TEMPORAL_PORT');
  await requirePort(uiPort, 'the Temporal Web UI', 'PERDURE_TEMPORAL_UI_PORT');
  if (metricsPort !== undefined) await requirePort(metricsPort, 'Temporal metrics', 'PERDURE_TEMPORAL_METRICS_PORT');
  let serving = false;
  const onExit = (how: string) => {
    if (serving) options.onUnexpectedExit?.(`Temporal ended (${how}): ${lastLines(logFile)}`);
  };
  const child = await spawnServer(binary, serverArgs(options, database), { logFile, onExit });
  const stop = async () => {
    serving = false;
    if (!(await stopProcess(child.mark, STOP_STEPS))) throw new Error(`Temporal (pid ${child.mark.pid}) did not end.`);
    fs.rmSync(markFile, { force: true });
  };
  const address = `127.0.0.1:${port}`;
  try {
    fs.writeFileSync(markFile, `${JSON.stringify(child.mark)}\n`);
    await waitReady(address, child, logFile);
    // It makes them readable to all; the inputs of every workflow are in there.
    for (const suffix of ['', '-wal', '-shm']) closeToOthers(`${database}${suffix}`);
  } catch (error) {
    await stop();
    throw error;
  }
  serving = true;
  return { address, uiUrl: `http://127.0.0.1:${uiPort}`, pid: child.mark.pid, stop };
}

function serverArgs({ port, uiPort, metricsPort }: TemporalOptions, database: string): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
    ...['--db-filename', database, '--log-level', 'warn', '--ui-disable-news-fetch'],
    ...SQLITE_PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
    ...DYNAMIC_CONFIG.flatMap((setting) => ['--dynamic-config-value', setting]),
    ...(metricsPort === undefined ? [] : ['--metrics-port', String(metricsPort)]),
  ];
}

function closeToOthers(file: string): void {
  if (fs.existsSync(file)) fs.chmodSync(file, 0o600);
}

async function waitReady(address: string, child: Child, logFile: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const failure = await setRetention(address);
    if (child.ended() !== null) throw new Error(`Temporal did not start (${child.ended()}): ${lastLines(logFile)}`);
    if (failure === null) return;
    if (Date.now() > deadline) throw new Error(`Temporal does not answer (${failure.message}): ${lastLines(logFile)}`);
    await sleep(50);
  }
}

/** Also proves that the server answers and that its namespace is there. */
async function setRetention(address: string): Promise<Error | null> {
  let connection: Connection | null = null;
  try {
    connection = await Connection.connect({ address, connectTimeout: 2_000 });
    const { workflowService } = connection;
    const namespace = 'default';
    await connection.withDeadline(Date.now() + 5_000, async () => {
      const { config } = await workflowService.describeNamespace({ namespace });
      if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1000 >= RETENTION_MS) return;
      const workflowExecutionRetentionTtl = msToTs(RETENTION_MS);
      await workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } });
    });
    return null;
  } catch (error) {
    return error as Error;
  } finally {
    await connection?.close();
  }
}
