// Other queues, each in a process of its own from bench/peers, which is installed apart from the product.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { startChild } from '../child.ts';
import type { Stage } from '../stage.ts';
import type { Done, Order, Suite, System } from '../system.ts';

/** What its process says when it is ready. */
interface Ready {
  suites: Suite[];
  /** Servers it has started beside itself are below it anyway; this is whether PostgreSQL works for it. */
  usesPostgres: boolean;
}

/** After the name of a peer: what it is asked to do besides, so that it gives what the others give. */
const BESIDES: Record<string, NodeJS.ProcessEnv> = {
  // Its task keeps the answer in a table, which pg-boss and graphile-worker leave to it.
  answers: { KEEP_ANSWERS: 'yes' },
  // Redis has on disk what it answers for, as PostgreSQL has; BullMQ's docs are content with once a second.
  fsync: { REDIS_FSYNC: 'always' },
};

export async function startPeer(name: string, stage: Stage): Promise<System> {
  const [program, besides] = name.split('+');
  const environment = besides === undefined ? {} : BESIDES[besides];
  if (!environment) throw new Error(`A peer is asked for +${Object.keys(BESIDES).join(' or +')}, not "${name}".`);
  const folder = join(stage.root, 'bench', 'peers');
  if (!existsSync(join(folder, 'node_modules'))) {
    throw new Error('The peers are not installed: npm install --prefix bench/peers');
  }
  const child = await startChild(join(folder, `${program}.mjs`), {
    RECEIVER_URL: stage.receiverUrl,
    // Restate's SDK would write a line per call.
    RESTATE_LOGGING: 'ERROR',
    DATABASE_URL: await stage.createDatabase(name),
    ...environment,
    ...(process.env.REDIS_SERVER ? { REDIS_SERVER: process.env.REDIS_SERVER } : {}),
    ...(process.env.LD_LIBRARY_PATH ? { LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH } : {}),
  });
  const { suites, usesPostgres } = child.ready as Ready;
  return {
    name,
    suites,
    groups: { process: [child.pid], ...(usesPostgres ? { postgres: stage.groups.postgres } : {}) },
    // A peer has one lane: its posts stand beside both of ours.
    run: (order: Order) => child.ask<Done>(order),
    stop: child.stop,
  };
}
