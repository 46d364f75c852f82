// What runs in a worker's process beside Temporal's worker: repairs, schedules, notifications, clearing away.
import type { InFlight } from '../activities/in-flight.ts';
import type { Config } from '../config.ts';
import { CANCEL_CHANNEL } from '../jobs/cancel.ts';
import type { HttpSender } from '../jobs/http/send.ts';
import type { Services } from '../services.ts';
import { createAuditor } from './auditor.ts';
import { createNotifier } from './notifier.ts';
import { createRelay } from './relay.ts';
import { createRetention } from './retention.ts';

export interface LoopDeps extends Services {
  config: Config;
  sender: HttpSender;
  inFlight: InFlight;
  isPaused: () => boolean;
}

export interface Loops {
  /** Until `callsEnd`, calls under way can still be canceled and notified of. */
  stop(callsEnd: Promise<void>): Promise<void>;
}

export function startLoops(deps: LoopDeps): Loops {
  const { config, db, bell, inFlight } = deps;
  const stopListening = db.listen(CANCEL_CHANNEL, (jobId) => {
    inFlight.abort(jobId);
    bell.ring(jobId);
  });
  const relay = createRelay(deps);
  const auditor = createAuditor({ ...deps, ...config });
  const retention = createRetention({ ...deps, ...config });
  const notifier = createNotifier({ ...deps, ...config });
  return {
    async stop(callsEnd) {
      await Promise.all([callsEnd, relay.stop(), auditor.stop(), retention.stop()]);
      await notifier.stop();
      await stopListening();
    },
  };
}
