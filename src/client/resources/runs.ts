// Runs of workflows: start one inline, read, signal, stop, drive again.
import { createList } from '../list.ts';
import type { Transport } from '../transport.ts';
import type {
  Attempt,
  CallOptions,
  CreateAndWaitOptions,
  CreateOptions,
  InlineRunInput,
  Run,
  RunFilter,
  RunRedriveInput,
  StepItem,
  WaitOptions,
} from '../types.ts';
import { createAndWait, waitUntilFinal } from '../wait.ts';

const PATH = '/v1/runs';

export function createRuns(transport: Transport) {
  const pathOf = (id: string, action = '') => `${PATH}/${encodeURIComponent(id)}${action}`;
  const change = (id: string, action: string, options?: CallOptions) =>
    transport.json<Run>({ method: 'POST', path: pathOf(id, action), repeatable: true }, options);
  return {
    /** Runs a definition that is not stored; a stored one is run by `workflows.run`. */
    start: (run: InlineRunInput, options?: CreateAndWaitOptions) =>
      createAndWait<Run>(transport, { path: PATH, body: run }, options),
    get: (id: string, options?: CallOptions) => transport.json<Run>({ method: 'GET', path: pathOf(id) }, options),
    wait: (id: string, options?: WaitOptions) => waitUntilFinal<Run>(transport, pathOf(id), options),
    list: (filter?: RunFilter, options?: CallOptions) => createList<Run>(transport, PATH, filter, options),
    attempts: (id: string, options?: CallOptions) =>
      createList<Attempt>(transport, pathOf(id, '/attempts'), undefined, options),
    items: (id: string, stepId: string, options?: CallOptions) =>
      createList<StepItem>(transport, pathOf(id, `/steps/${encodeURIComponent(stepId)}/items`), undefined, options),
    /** Remembered if no step waits for it yet. Not sent again by itself: a signal may count twice. */
    signal: (id: string, signal: string, payload?: unknown, options?: CallOptions) =>
      transport.json<void>(
        { method: 'POST', path: pathOf(id, `/signals/${encodeURIComponent(signal)}`), body: payload },
        options,
      ),
    /** Does not compensate. */
    cancel: (id: string, options?: CallOptions) => change(id, '/cancel', options),
    pause: (id: string, options?: CallOptions) => change(id, '/pause', options),
    resume: (id: string, options?: CallOptions) => change(id, '/resume', options),
    /** A new run that keeps the outputs of the steps that succeeded. */
    redrive: (id: string, redrive: RunRedriveInput = {}, options?: CreateOptions) =>
      transport.create<Run>({ path: pathOf(id, '/redrive'), body: redrive }, options),
  };
}
