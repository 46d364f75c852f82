// Writes what job rows cannot tell: one writer, which takes along whatever has come up since its last statement.
import { CancellationScope, proxyActivities } from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import type { StepRecord } from '../../contract/run.ts';

const { recordSteps } = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  retry: { maximumInterval: '10s' },
  summary: 'note steps',
});

type RunningStatus = 'running' | 'waiting';

export type Recorder = ReturnType<typeof createRecorder>;

export function createRecorder(runId: string) {
  let queue = new Map<string, StepRecord>();
  let status: RunningStatus = 'running';
  let written: RunningStatus = 'running';
  let writing: Promise<void> | null = null;

  const writeAll = async (): Promise<void> => {
    // What is noted in the same moment goes into the same statement.
    await Promise.resolve();
    while (queue.size > 0 || status !== written) {
      const records = [...queue.values()];
      const next = status;
      queue = new Map();
      // A run that is canceled or out of time still says what it did.
      await CancellationScope.nonCancellable(() => recordSteps({ runId, records, status: next }));
      written = next;
    }
    writing = null;
  };

  return {
    note(record: StepRecord): void {
      queue.set(record.id, { ...queue.get(record.id), ...record });
      writing ??= writeAll();
    },
    setStatus(next: RunningStatus): void {
      status = next;
      if (status !== written) writing ??= writeAll();
    },
    async flush(): Promise<void> {
      while (writing !== null) await writing;
    },
  };
}
