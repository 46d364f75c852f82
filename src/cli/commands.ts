// All commands, in the order of the help.
import type { Command } from './command.ts';
import { attempts } from './commands/attempts.ts';
import { batch } from './commands/batch.ts';
import { cancel } from './commands/cancel.ts';
import { createCompletion } from './commands/completion.ts';
import { dlq } from './commands/dlq.ts';
import { events } from './commands/events.ts';
import { get } from './commands/get.ts';
import { list } from './commands/list.ts';
import { login } from './commands/login.ts';
import { profile } from './commands/profile.ts';
import { run } from './commands/run.ts';
import { schedule } from './commands/schedule.ts';
import { schedulePut } from './commands/schedule-put.ts';
import { start } from './commands/start.ts';
import { submit } from './commands/submit.ts';
import { top } from './commands/top.ts';
import { wait } from './commands/wait.ts';
import { workers } from './commands/workers.ts';
import { workflow } from './commands/workflow.ts';

const withoutCompletion: Command[] = [
  start,
  submit,
  get,
  list,
  attempts,
  wait,
  cancel,
  ...dlq,
  schedulePut,
  ...schedule,
  ...workflow,
  ...run,
  ...batch,
  ...workers,
  events,
  top,
  login,
  ...profile,
];

export const commands: readonly Command[] = [...withoutCompletion, createCompletion(withoutCompletion)];
