// The messages our workflows take.
import { defineSignal } from '@temporalio/workflow';

import { PAUSED_SIGNAL, RUN_CHANGED_SIGNAL } from '../contract/run.ts';
import { ABORT_SIGNAL, RELEASED_SIGNAL, RUN_NOW_SIGNAL } from '../contract/temporal.ts';

export const runNowSignal = defineSignal(RUN_NOW_SIGNAL);
export const releasedSignal = defineSignal(RELEASED_SIGNAL);
export const abortSignal = defineSignal(ABORT_SIGNAL);
export const runChangedSignal = defineSignal(RUN_CHANGED_SIGNAL);
export const pausedSignal = defineSignal<[boolean]>(PAUSED_SIGNAL);
