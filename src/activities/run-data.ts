// Data of runs on its way into workflows: long texts in pieces, signals, the outputs of items put together.
import { type FailedItem, type ItemValues, MAX_RUN_OUTPUT_BYTES, runError, type StepEnd } from '../contract/run.ts';
import { writeFailedItems } from '../db/failed-items.ts';
import type { Database } from '../db/pool.ts';
import { takeSignal } from '../db/run-signals.ts';
import { appendValues, assembleItems, itemsOf, outputText } from '../db/run-steps.ts';
import { findRunOfAnyTenant } from '../db/runs.ts';
import { outputTooLarge } from './run-call.ts';

/** At most 1.2 MB as UTF-8. */
const PIECE_LENGTH = 400_000;

export interface ItemsEnd {
  runId: string;
  stepId: string;
  total: number;
  /** The item that made the step fail. */
  failure: { index: number; errorCode: string | null } | null;
}

export type RunText = { definition: true } | { input: true } | { stepId: string };

export function createRunData({ db }: { db: Database }) {
  return {
    /** JSON text from `offset` on; null where there is no more. */
    async readRunText(place: { runId: string; text: RunText; offset: number }): Promise<{
      piece: string;
      nextOffset: number | null;
    }> {
      const { runId, text, offset } = place;
      const whole = 'stepId' in text ? await outputText(db, runId, text.stepId) : await textOfRun(db, runId, text);
      const piece = (whole ?? 'null').slice(offset, offset + PIECE_LENGTH);
      const nextOffset = offset + piece.length;
      return { piece, nextOffset: nextOffset < (whole?.length ?? 0) ? nextOffset : null };
    },

    takeSignal: (input: { runId: string; name: string; stepId: string }) => takeSignal(db, input),

    /** What an item failed of that neither a call nor a run tells. */
    async failItem({ runId, stepId, ...item }: { runId: string; stepId: string } & FailedItem): Promise<void> {
      await writeFailedItems(db, { runId, stepId, items: [item] });
    },

    async recordValues({ failed, ...values }: ItemValues): Promise<void> {
      await writeFailedItems(db, { ...values, items: failed });
      await appendValues(db, values);
    },

    /** The end of a `forEach`, from what its items left in PostgreSQL. */
    async endItems(input: ItemsEnd): Promise<StepEnd> {
      const { runId, stepId, total, failure } = input;
      if (failure !== null) {
        const [item] = await itemsOf(db, { runId, stepId, after: failure.index - 1, limit: 1 });
        const title = `Item ${failure.index} of ${total} failed`;
        const cause = item?.index === failure.index ? item.error?.title : undefined;
        const error = runError('itemFailed', title, cause ?? failure.errorCode);
        return { status: 'failed', errorCode: error.code, bytes: 0, error };
      }
      const { bytes } = await assembleItems(db, { runId, stepId, total, maxBytes: MAX_RUN_OUTPUT_BYTES });
      if (bytes <= MAX_RUN_OUTPUT_BYTES) return { status: 'succeeded', errorCode: null, bytes };
      return { status: 'failed', errorCode: 'outputTooLarge', bytes: 0, error: outputTooLarge() };
    },
  };
}

async function textOfRun(db: Database, runId: string, text: RunText): Promise<string | null> {
  const run = await findRunOfAnyTenant(db, runId);
  return run && JSON.stringify('definition' in text ? run.definition : run.input);
}
