// Everything about runs that the API and the workers share, built once per process.
import type { Client } from '@temporalio/client';

import type { Database } from '../../db/pool.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Bell } from '../bell.ts';
import type { FollowUp } from '../follow-up.ts';
import type { EgressPolicy } from '../http/egress.ts';
import type { Sealer } from '../secrets/sealer.ts';
import type { ViewOptions } from '../view.ts';
import { createAcceptRun } from './accept.ts';
import { createRunControls } from './control.ts';
import { createRunFinished } from './finished.ts';
import { createRedriveRun } from './redrive.ts';
import { createRunStarter } from './start.ts';
import { newRunView } from './view.ts';

export interface RunServiceDeps {
  db: Database;
  client: Client;
  taskQueue: string;
  bell: Bell;
  metrics: Metrics;
  followUp: FollowUp;
  sealer: Sealer;
  isEncrypted: boolean;
  getPolicy: () => EgressPolicy;
  view: ViewOptions;
  log: Logger;
}

export type RunServices = ReturnType<typeof createRunServices>;

export function createRunServices(deps: RunServiceDeps) {
  const { db, getPolicy, metrics, sealer, view } = deps;
  const runStarter = createRunStarter(deps);
  const runFinished = createRunFinished(deps);
  return {
    runStarter,
    runFinished,
    runControls: createRunControls({ ...deps, runFinished }),
    acceptRun: createAcceptRun({
      db,
      runStarter,
      metrics,
      renderAnswer: (run, definition) => JSON.stringify(newRunView(run, definition, view)),
    }),
    redriveRun: createRedriveRun({
      ...{ db, runStarter, metrics, sealer, getPolicy },
      renderAnswer: (run, definition, steps) => JSON.stringify(newRunView(run, definition, view, steps)),
    }),
  };
}
