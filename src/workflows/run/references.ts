// Which steps an expression of a step, of its compensation or of the run's output looks at.
import type { StepDefinition, WorkflowDefinition } from '../../language/definition.ts';
import type { Plan } from '../../language/plan.ts';
import { expressionsOf } from '../../language/step-references.ts';
import { compileTemplate, mergeReferences } from '../../language/template.ts';

export function referencesOf(step: StepDefinition): string[] {
  const { before, perItem } = expressionsOf(step, '');
  return [...mergeReferences([...before, ...perItem]).steps];
}

export function compensationReferences(step: StepDefinition): string[] {
  return [...mergeReferences(expressionsOf(step, '').compensation).steps];
}

export function outputReferences(definition: WorkflowDefinition): string[] {
  return [...mergeReferences(compileTemplate(definition.output).expressions).steps];
}

/** The others stay where they are. */
export function wantedOutputs(definition: WorkflowDefinition, plan: Plan): Set<string> {
  const undo = definition.steps.filter(({ compensate }) => compensate !== undefined);
  return new Set([
    ...plan.steps.flatMap(({ needsOutput }) => needsOutput),
    ...undo.flatMap(compensationReferences),
    ...outputReferences(definition),
  ]);
}
