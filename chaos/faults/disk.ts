// A disk that is full under PostgreSQL: nothing is accepted that is not kept, and space is all that is needed.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually } from '../../src/testing/api.ts';
import { type Fault, RECOVERING_PER_SECOND, type Scene } from '../fault.ts';
import { MANY } from '../plan.ts';
import { type Server, startPostgresServer } from '../servers.ts';

const DISK_MIB = 320;
const FULL_MS = { short: 5_000, full: 15_000 };
const ROUNDS = { short: 1, full: 3 };
const CHUNK = Buffer.alloc(1 << 20);
const SMALLEST = 4_096;
const NOTICED_WITHIN_MS = 20_000;

export const DISK_FULL: Fault = diskFull();

function diskFull(): Fault {
  let disk = '';
  let server: Server | null = null;
  return {
    id: 'F21',
    company: 'others',
    title: `PostgreSQL's disk (${DISK_MIB} MiB of its own) full during load`,
    jobs: { short: 200, full: 3_000 },
    perSecond: RECOVERING_PER_SECOND,
    mix: MANY,
    whyNot() {
      if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root may mount a small disk';
      return spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0
        ? null
        : 'nothing can be mounted here';
    },
    async prepare(world) {
      disk = join(world.folder, 'disk');
      mkdirSync(disk);
      run('mount', '-t', 'tmpfs', '-o', `size=${DISK_MIB}m,mode=711`, 'tmpfs', disk);
      const postgres = await startPostgresServer(disk).catch((error: unknown) => {
        run('umount', '-l', disk);
        throw error;
      });
      server = postgres;
      let closing: Promise<void> | null = null;
      const detour = {
        postgres,
        environment: () => ({}),
        figures: () => ({}),
        close: () => (closing ??= end()),
      };
      const end = async () => {
        world.grounds.delete(detour);
        await postgres.stop();
        run('umount', '-l', disk);
      };
      world.grounds.add(detour);
      return detour;
    },
    async disturb(scene) {
      const size = scene.isShort ? 'short' : 'full';
      scene.figures.restarts = 0;
      for (let round = 0; round < ROUNDS[size] && !scene.isOver(); round++) {
        await scene.pause(3_000, 5_000);
        if (server) await fillUp(scene, disk, server, FULL_MS[size]);
      }
    },
    async afterwards({ history, figures, complain }) {
      const refused = history.calls.filter(({ status }) => status === 503);
      figures.answered503 = refused.length;
      if (refused.length === 0) complain('nobody was refused: nothing was tried');
      if (refused.some(({ detail }) => detail === null)) complain('a 503 without Retry-After');
      const other = history.calls.find(({ status }) => status !== null && status >= 500 && status !== 503);
      if (other) complain(`${other.tag} was answered ${other.status}`);
    },
    bounds: { recoveryP99Ms: 10_000, slowestCallMs: 10_000 },
  };
}

async function fillUp({ history, figures, healed }: Scene, disk: string, server: Server, fullMs: number) {
  const at = Date.now();
  const ballast = join(disk, 'ballast');
  fill(ballast);
  const isNoticed = () => history.calls.some((call) => call.at >= at && call.outcome === 'info');
  await eventually(isNoticed, { timeoutMs: NOTICED_WITHIN_MS }).catch(() => false);
  // What was freed or had been kept ready meanwhile is gone too.
  for (const endsAt = Date.now() + fullMs; Date.now() < endsAt; await sleep(200)) fill(ballast);
  rmSync(ballast);
  // Without room for its log it may have ended: then its supervisor starts it, as it would anywhere.
  if (!isAlive(server.pid())) {
    figures.restarts = Number(figures.restarts) + 1;
    await server.stop();
    await server.start();
  }
  healed(at);
}

/** To the last page. */
function fill(file: string): void {
  const handle = openSync(file, 'a');
  try {
    for (let size = CHUNK.length; size >= SMALLEST;) {
      try {
        writeSync(handle, CHUNK, 0, size);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size /= 2;
      }
    }
  } finally {
    closeSync(handle);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}
