// All commands, in the order of the help.
import type { Command } from './command.ts';
import { apiKey } from './commands/api-key.ts';
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
import { queues } from './commands/queues.ts';
import { run } from './commands/run.ts';
import { schedule } from './commands/schedule.ts';
import { schedulePut } from './commands/schedule-put.ts';
import { service } from './commands/start.ts';
import { submit } from './commands/submit.ts';
import { top } from './commands/top.ts';
import { wait } from './commands/wait.ts';
import { workers } from './commands/workers.ts';
import { workflow } from './commands/workflow.ts';

const withoutCompletion: Command[] = [
  ...service,
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
  ...queues,
  events,
  top,
  login,
  ...profile,
  ...apiKey,
];

export const commands: readonly Command[] = [...withoutCompletion, createCompletion(withoutCompletion)];
