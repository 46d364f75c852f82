// What a definition means for the order of its steps: who waits for whom, whose output is needed, how deep it goes.
import type { StepDefinition } from './definition.ts';
import type { StepReferences } from './step-references.ts';

export interface PlannedStep {
  id: string;
  /** Written and implied by references, in the order of the definition. */
  dependsOn: string[];
  /** Those whose output the step cannot do without. */
  needsOutput: string[];
  /** 1 for a step that waits for nobody. */
  depth: number;
}

/** Plain JSON: part of an answer, and of what a run is started with. */
export interface Plan {
  steps: PlannedStep[];
  /** Every step after those it depends on. */
  order: string[];
}

/** Steps can be tangled in more ways than anyone would read. */
const MAX_CYCLES = 20;

export type Edges = ReadonlyMap<string, readonly string[]>;

/** The steps must be free of cycles and name only each other. */
export function createPlan(
  steps: readonly StepDefinition[],
  referencesOf: (step: StepDefinition) => StepReferences,
): Plan {
  const position = new Map(steps.map((step, index) => [step.id, index]));
  const inOrder = (ids: Iterable<string>) =>
    [...new Set(ids)].sort((a, b) => (position.get(a) ?? 0) - (position.get(b) ?? 0));
  const dependencies = new Map<string, string[]>();
  const needs = new Map<string, string[]>();
  for (const step of steps) {
    const { steps: used, outputs } = referencesOf(step);
    dependencies.set(step.id, inOrder([...step.dependsOn, ...used]));
    needs.set(step.id, inOrder(outputs));
  }
  const order = sortSteps(dependencies);
  const depths = depthsOf(order, dependencies);
  return {
    steps: steps.map(({ id }) => ({
      id,
      dependsOn: dependencies.get(id) ?? [],
      needsOutput: needs.get(id) ?? [],
      depth: depths.get(id) ?? 1,
    })),
    order,
  };
}

/** Dependencies first, otherwise as written; a step of a cycle stands somewhere. */
export function sortSteps(dependencies: Edges): string[] {
  const order = new Set<string>();
  const begun = new Set<string>();
  for (const id of dependencies.keys()) place(id);
  return [...order];

  function place(id: string): void {
    if (begun.has(id)) return;
    begun.add(id);
    dependencies.get(id)?.forEach(place);
    order.add(id);
  }
}

export function depthsOf(order: readonly string[], dependencies: Edges): Map<string, number> {
  const depths = new Map<string, number>();
  for (const id of order) {
    const below = (dependencies.get(id) ?? []).map((dependency) => depths.get(dependency) ?? 0);
    depths.set(id, 1 + Math.max(0, ...below));
  }
  return depths;
}

/** The ways back that a walk through the steps meets, as paths `[a, b, a]`; enough of them to repair a definition. */
export function findCycles(dependencies: Edges): string[][] {
  const cycles: string[][] = [];
  const finished = new Set<string>();
  for (const start of dependencies.keys()) follow(start, []);
  return cycles;

  function follow(id: string, path: readonly string[]): void {
    if (finished.has(id) || cycles.length >= MAX_CYCLES) return;
    const at = path.indexOf(id);
    if (at >= 0) {
      cycles.push([...path.slice(at), id]);
      return;
    }
    const below = [...path, id];
    for (const dependency of dependencies.get(id) ?? []) follow(dependency, below);
    finished.add(id);
  }
}

/** Everything a step waits for, directly or not. */
export function ancestorsOf(id: string, dependencies: Edges): Set<string> {
  const found = new Set<string>();
  const open = [...(dependencies.get(id) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(dependencies.get(next) ?? []));
  }
  return found;
}
