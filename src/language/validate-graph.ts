// Checks how the steps of a definition refer to each other: ids, expressions, cycles, depth.
import type { StepDefinition } from './definition.ts';
import { MAX_STEP_DEPTH } from './definition.ts';
import { ancestorsOf, depthsOf, findCycles, sortSteps } from './plan.ts';
import type { Reader } from './reader.ts';
import type { StepExpressions } from './step-references.ts';
import { dependenciesOf, expressionsOf } from './step-references.ts';
import type { PlacedExpression } from './template.ts';
import { compileTemplate } from './template.ts';

const ROOTS = ['input', 'steps', 'run'];

interface PlacedStep {
  step: StepDefinition;
  pointer: string;
  expressions: StepExpressions;
}

/** `steps` has null where a step has no usable id; its place counts, so that the pointers of the others stay right. */
export function checkReferences(steps: readonly (StepDefinition | null)[], output: unknown, reader: Reader): void {
  const placed = steps.flatMap((step, index): PlacedStep[] => {
    const pointer = `/steps/${index}`;
    return step === null ? [] : [{ step, pointer, expressions: expressionsOf(step, pointer) }];
  });
  const known = new Set(placed.map(({ step }) => step.id));
  checkIds(placed, reader);
  for (const each of placed) checkStep(each, known, reader);
  const edges = edgesOf(placed, known);
  checkShape(placed, edges, reader);
  for (const each of placed) checkCompensation(each, known, edges, reader);
  const compiled = compileTemplate(output, '/output');
  reader.faults.push(...compiled.faults);
  checkNames(compiled.expressions, ROOTS, known, reader);
}

function checkIds(placed: readonly PlacedStep[], reader: Reader): void {
  const seen = new Set<string>();
  for (const { step, pointer } of placed) {
    if (seen.has(step.id)) reader.fault(`${pointer}/id`, `"${step.id}" is the id of an earlier step`);
    seen.add(step.id);
  }
}

function checkStep({ step, pointer, expressions }: PlacedStep, known: ReadonlySet<string>, reader: Reader): void {
  step.dependsOn.forEach((id, index) => {
    const place = `${pointer}/dependsOn/${index}`;
    if (id === step.id) reader.fault(place, 'a step cannot depend on itself');
    else if (!known.has(id)) reader.fault(place, `there is no step "${id}"`);
  });
  reader.faults.push(...expressions.faults);
  const perItem = step.forEach === undefined ? ROOTS : [...ROOTS, step.as ?? 'item', 'index'];
  checkNames(expressions.before, ROOTS, known, reader, step.id);
  checkNames(expressions.perItem, perItem, known, reader, step.id);
  checkNames(expressions.compensation, ROOTS, known, reader);
}

function checkNames(
  expressions: readonly PlacedExpression[],
  roots: readonly string[],
  known: ReadonlySet<string>,
  reader: Reader,
  self?: string,
): void {
  for (const { pointer, expression } of expressions) {
    for (const name of expression.references.roots) {
      if (!roots.includes(name)) reader.fault(pointer, `unknown name "${name}", known are ${roots.join(', ')}`);
    }
    for (const id of expression.references.steps) {
      if (id === self) reader.fault(pointer, 'a step cannot use its own output or status');
      else if (!known.has(id)) reader.fault(pointer, `there is no step "${id}"`);
    }
  }
}

/** Self references and unknown steps have been told and are left out. */
function edgesOf(placed: readonly PlacedStep[], known: ReadonlySet<string>): Map<string, string[]> {
  const edges = new Map<string, string[]>();
  for (const { step, expressions } of placed) {
    const all = [...step.dependsOn, ...dependenciesOf(expressions).steps];
    const targets = all.filter((id) => id !== step.id && known.has(id));
    edges.set(step.id, [...new Set([...(edges.get(step.id) ?? []), ...targets])]);
  }
  return edges;
}

function checkShape(placed: readonly PlacedStep[], edges: Map<string, string[]>, reader: Reader): void {
  const pointers = new Map(placed.map(({ step, pointer }) => [step.id, pointer]));
  const cycles = findCycles(edges);
  for (const cycle of cycles) {
    reader.fault(`${pointers.get(cycle[0] ?? '') ?? ''}/dependsOn`, `cycle: ${cycle.join(' → ')}`);
  }
  if (cycles.length > 0) return;
  const tooDeep = [...depthsOf(sortSteps(edges), edges)].find(([, depth]) => depth > MAX_STEP_DEPTH);
  if (tooDeep !== undefined) {
    reader.fault(pointers.get(tooDeep[0]) ?? '', `stands more than ${MAX_STEP_DEPTH} steps deep`);
  }
}

function checkCompensation(
  { step, expressions }: PlacedStep,
  known: ReadonlySet<string>,
  edges: Map<string, string[]>,
  reader: Reader,
): void {
  if (expressions.compensation.length === 0) return;
  const before = ancestorsOf(step.id, edges);
  for (const { pointer, expression } of expressions.compensation) {
    for (const id of expression.references.steps) {
      if (id === step.id || before.has(id) || !known.has(id)) continue;
      reader.fault(pointer, `"${id}" does not come before this step, so its output may be missing`);
    }
  }
}
