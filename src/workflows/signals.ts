// The messages our workflows take.
import { defineSignal } from '@temporalio/workflow';

import { ABORT_SIGNAL, RUN_NOW_SIGNAL } from '../contract/temporal.ts';

export const runNowSignal = defineSignal(RUN_NOW_SIGNAL);
export const abortSignal = defineSignal(ABORT_SIGNAL);
