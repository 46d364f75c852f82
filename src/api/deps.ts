// What the routes are built with.
import type { Client } from '@temporalio/client';

import type { Database } from '../db/pool.ts';
import type { AcceptJob } from '../jobs/accept.ts';
import type { AcceptBatch } from '../jobs/batches/accept.ts';
import type { CancelBatch } from '../jobs/batches/cancel.ts';
import type { CancelJob } from '../jobs/cancel.ts';
import type { EgressPolicy } from '../jobs/http/egress.ts';
import type { Redrive } from '../jobs/redrive.ts';
import type { RunServices } from '../jobs/runs/run-services.ts';
import type { Schedules } from '../jobs/schedules/schedules.ts';
import type { ViewOptions } from '../jobs/view.ts';
import type { WaitUntilFinal } from '../jobs/wait.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface ApiDeps extends RunServices {
  db: Database;
  client: Client;
  taskQueue: string;
  accept: AcceptJob;
  cancel: CancelJob;
  redrive: Redrive;
  acceptBatch: AcceptBatch;
  cancelBatch: CancelBatch;
  schedules: Schedules;
  waitUntilFinal: WaitUntilFinal;
  getPolicy: () => EgressPolicy;
  view: ViewOptions;
  metrics: Metrics;
  log: Logger;
}
