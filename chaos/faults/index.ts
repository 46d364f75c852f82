// All faults, in the order of their numbers.
import type { Fault } from '../fault.ts';
import { CRASH_POINTS } from './crash-points.ts';
import { DATABASE_FAULTS } from './database.ts';
import { PROCESS_FAULTS } from './processes.ts';
import { STORE_FAULTS } from './stores.ts';
import { TARGET_FAULTS } from './targets.ts';
import { WORKFLOW_FAULTS } from './workflows.ts';

export const FAULTS: Fault[] = [
  ...PROCESS_FAULTS,
  ...STORE_FAULTS,
  ...DATABASE_FAULTS,
  ...TARGET_FAULTS,
  ...WORKFLOW_FAULTS,
]
  .sort((a, b) => numberOf(a) - numberOf(b))
  .concat(CRASH_POINTS);

function numberOf({ id }: Fault): number {
  return Number(id.slice(1));
}
