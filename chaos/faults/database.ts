// What lies between us and PostgreSQL: answers that get lost, a line that swallows everything, a pool without room.
import { setTimeout as sleep } from 'node:timers/promises';

import { startTcpProxy, type TcpProxy } from '../../src/testing/tcp-proxy.ts';
import { startLossyDetour } from '../detour.ts';
import type { Fault, Scene } from '../fault.ts';
import { withDatabase } from '../sql.ts';

const WRITES = /insert into (jobs|runs)|^commit$/i;
const LOST_SHARE = 0.25;
const HOLE_MS = 30_000;
const SHORT_HOLE_MS = 6_000;

export const DATABASE_FAULTS: Fault[] = [
  {
    id: 'F7',
    company: 'others',
    title: 'The answer to a quarter of all inserts and commits lost, and the connection with it',
    jobs: { short: 150, full: 1_000 },
    perSecond: 50,
    async prepare({ postgres }, random) {
      const detour = await startLossyDetour(
        postgres.address,
        (statement) => WRITES.test(statement) && random.isBelow(LOST_SHARE),
      );
      return {
        environment: (databaseUrl) => ({ DATABASE_URL: detour.url(databaseUrl) }),
        figures: () => ({ lostAnswers: detour.lost() }),
        close: () => detour.stop(),
      };
    },
    async afterwards({ figures, complain }) {
      if (figures.lostAnswers === 0) complain('no answer was lost: nothing was tried');
    },
  },
  blackHole(),
  {
    id: 'F9',
    title: 'A pool of 5 connections, 200 clients, and the table of jobs locked now and then',
    jobs: { short: 200, full: 2_000 },
    clients: 200,
    // In each lock all of them come to wait; beyond what the machine carries without one, that would be what is measured.
    perSecond: 100,
    environment: { PERDURE_DB_POOL: '5' },
    async disturb(scene) {
      await withDatabase(scene.ground.databaseUrl, async (client) => {
        while (!scene.isOver()) {
          const at = Date.now();
          await client.query('begin');
          await client.query('lock table jobs in access exclusive mode');
          await scene.pause(3_000, 5_000);
          await client.query('commit');
          scene.healed(at);
          await scene.pause(2_000, 3_000);
        }
      });
    },
    afterwards: async (scene) => retryAfterOn503(scene),
    bounds: { slowestCallMs: 2_500 },
  },
];

function blackHole(): Fault {
  let proxy: TcpProxy | null = null;
  return {
    id: 'F8',
    company: 'others',
    title: 'A line to PostgreSQL that swallows everything for 30 s',
    jobs: { short: 100, full: 900 },
    perSecond: 20,
    async prepare({ postgres }) {
      const { hostname, port } = new URL(postgres.address);
      const line = await startTcpProxy(hostname, Number(port));
      proxy = line;
      return {
        environment(databaseUrl) {
          const url = new URL(databaseUrl);
          url.host = line.address;
          return { DATABASE_URL: url.href };
        },
        figures: () => ({}),
        close: () => line.stop(),
      };
    },
    async disturb(scene) {
      await scene.pause(4_000, 5_000);
      const at = Date.now();
      proxy?.blackHole();
      await sleep(scene.isShort ? SHORT_HOLE_MS : HOLE_MS);
      proxy?.up();
      scene.healed(at);
    },
    afterwards: async (scene) => retryAfterOn503(scene),
    bounds: { slowestCallMs: 10_000 },
  };
}

function retryAfterOn503({ history, complain, figures }: Scene): void {
  const refused = history.calls.filter(({ status }) => status === 503);
  figures.answered503 = refused.length;
  if (refused.some(({ detail }) => detail === null)) complain('a 503 without Retry-After');
}
