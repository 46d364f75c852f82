// What a load needs to be there before it begins, and takes away afterwards: a workflow, and two schedules of every second.
import { definitionOf, jobOf, type LoadContext } from './actions.ts';

export async function setUp(context: LoadContext): Promise<() => Promise<void>> {
  const { perdure, loadId } = context;
  const undo: [what: string, remove: () => Promise<void>][] = [];
  const tearDown = async () => {
    for (const [what, remove] of undo.reverse()) await orSay(what, remove);
  };
  try {
    await perdure.workflows.put(loadId, definitionOf(context));
    undo.push([`workflow ${loadId}`, () => perdure.workflows.delete(loadId)]);
    for (const behaviour of ['ok', 'flaky'] as const) {
      const id = `${loadId}-${behaviour}`;
      const { name = 'load', http, retry = {}, labels = {} } = jobOf(context, behaviour);
      const overlap = behaviour === 'ok' ? 'allowAll' : 'skip';
      await perdure.schedules.put(id, { every: '1s', overlap, job: { name, http, retry, labels } });
      undo.push([`schedule ${id}`, () => perdure.schedules.delete(id)]);
    }
    await perdure.schedules.trigger(`${loadId}-ok`);
  } catch (error) {
    await tearDown();
    throw error;
  }
  return tearDown;
}

async function orSay(what: string, remove: () => Promise<void>): Promise<void> {
  await remove().catch((error: unknown) => process.stderr.write(`The ${what} was not removed: ${String(error)}\n`));
}
