// A definition as Mermaid text, to be pasted wherever diagrams are drawn.
import type { StepDefinition, WorkflowDefinition } from './definition.ts';
import { kindOf } from './definition.ts';
import type { Plan } from './plan.ts';

/** Nodes are numbered: a step may be called `end`, which means something to Mermaid. */
export function mermaidOf(definition: WorkflowDefinition, plan: Plan): string {
  const nodes = new Map(definition.steps.map((step, index) => [step.id, { step, name: `n${index}` }]));
  const lines = ['flowchart TD'];
  for (const { step, name } of nodes.values()) lines.push(`  ${name}["${labelOf(step)}"]`);
  for (const { id, dependsOn } of plan.steps) {
    const target = nodes.get(id);
    if (target === undefined) continue;
    const arrow = target.step.runWhen === 'allSucceeded' ? '-->' : `-->|${target.step.runWhen}|`;
    for (const dependency of dependsOn) lines.push(`  ${nodes.get(dependency)?.name} ${arrow} ${target.name}`);
  }
  return `${lines.join('\n')}\n`;
}

function labelOf(step: StepDefinition): string {
  const notes = [kindOf(step) as string];
  if (step.forEach !== undefined) notes.push('for each');
  if (step.if !== undefined) notes.push(`if ${step.if}`);
  return escapeLabel(`${step.id}: ${notes.join(', ')}`);
}

/** Mermaid reads `#quot;` and the like; everything that could end or restyle a label goes that way. */
function escapeLabel(text: string): string {
  return text.replace(/[^\p{L}\p{N} .,:_()-]/gu, (character) => `#${character.codePointAt(0)};`);
}
