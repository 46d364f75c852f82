// All faults, in the order of their numbers.
import type { Fault } from '../fault.ts';
import { WRONG_CLOCKS } from './clocks.ts';
import { CRASH_POINTS } from './crash-points.ts';
import { DATABASE_FAULTS } from './database.ts';
import { DISK_FULL } from './disk.ts';
import { GRAPH_FAULTS } from './graphs.ts';
import { MEMORY } from './memory.ts';
import { MIGRATION_UNDER_LOAD } from './migrations.ts';
import { NAMES } from './names.ts';
import { DEAD_ENDPOINTS } from './notifications.ts';
import { TARGET_AWAY } from './outages.ts';
import { PROCESS_FAULTS } from './processes.ts';
import { RETENTION_UNDER_LOAD } from './retention.ts';
import { SCHEDULE_BURST, SCHEDULE_FLEET } from './schedule-fleet.ts';
import { SCHEDULE_FAULTS } from './schedules.ts';
import { STORE_FAULTS } from './stores.ts';
import { TARGET_FAULTS } from './targets.ts';
import { WORKFLOW_FAULTS } from './workflows.ts';

export const FAULTS: Fault[] = [
  ...PROCESS_FAULTS,
  ...STORE_FAULTS,
  ...DATABASE_FAULTS,
  ...TARGET_FAULTS,
  ...WORKFLOW_FAULTS,
  DEAD_ENDPOINTS,
  NAMES,
  WRONG_CLOCKS,
  DISK_FULL,
  MEMORY,
  MIGRATION_UNDER_LOAD,
  RETENTION_UNDER_LOAD,
  TARGET_AWAY,
  ...GRAPH_FAULTS,
  SCHEDULE_FLEET,
  SCHEDULE_BURST,
  ...SCHEDULE_FAULTS,
]
  .sort((a, b) => numberOf(a) - numberOf(b))
  .concat(CRASH_POINTS);

function numberOf({ id }: Fault): number {
  return Number(id.slice(1));
}
