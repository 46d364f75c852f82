// What the routes are built with.
import type { Client } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';

import type { AuthSettings } from '../auth-settings.ts';
import type { Database } from '../db/pool.ts';
import type { AcceptJob } from '../jobs/accept.ts';
import type { AcceptBatch } from '../jobs/batches/accept.ts';
import type { CancelBatch } from '../jobs/batches/cancel.ts';
import type { CancelJob } from '../jobs/cancel.ts';
import type { EventHub } from '../jobs/events/hub.ts';
import type { EgressPolicy } from '../jobs/http/egress.ts';
import type { OperatorFetch } from '../jobs/http/operator-fetch.ts';
import type { Quotas } from '../jobs/quotas.ts';
import type { Redrive } from '../jobs/redrive.ts';
import type { RunServices } from '../jobs/runs/run-services.ts';
import type { Schedules } from '../jobs/schedules/schedules.ts';
import type { Sealer } from '../jobs/secrets/sealer.ts';
import type { SecretStore } from '../jobs/secrets/store.ts';
import type { Settings } from '../jobs/settings/settings.ts';
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
  sealer: Sealer;
  secrets: SecretStore;
  viewerCodec: PayloadCodec | null;
  codecOrigin: string | null;
  quotas: Quotas;
  waitUntilFinal: WaitUntilFinal;
  settings: Settings;
  events: EventHub;
  getPolicy: () => EgressPolicy;
  auth: AuthSettings | null;
  trustProxyHops: number;
  operatorFetch: OperatorFetch;
  view: ViewOptions;
  metrics: Metrics;
  log: Logger;
}
