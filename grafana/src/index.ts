// All dashboards, in the order in which somebody who looks for a fault would open them.
import { engine } from './engine.ts';
import { exactlyOnce } from './exactly-once.ts';
import { overview } from './overview.ts';
import { schedules } from './schedules.ts';
import { targets } from './targets.ts';
import { workflows } from './workflows.ts';

export const dashboards = [overview, targets, schedules, workflows, engine, exactlyOnce];
