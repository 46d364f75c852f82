// The outputs of steps: small ones arrive with the step, large ones are fetched when an expression asks for them.
import { readJson } from './texts.ts';

export type Outputs = ReturnType<typeof createOutputs>;

export function createOutputs(runId: string) {
  const known = new Map<string, unknown>();
  const loading = new Map<string, Promise<void>>();

  const load = async (stepId: string): Promise<void> => {
    known.set(stepId, await readJson(runId, { stepId }));
    loading.delete(stepId);
  };

  return {
    set: (stepId: string, output: unknown) => void known.set(stepId, output),
    get: (stepId: string): unknown => known.get(stepId) ?? null,
    async ensure(stepIds: readonly string[]): Promise<void> {
      for (const stepId of stepIds) {
        if (known.has(stepId)) continue;
        const underWay = loading.get(stepId) ?? load(stepId);
        loading.set(stepId, underWay);
        await underWay;
      }
    },
  };
}
