// Reads a parsed CEL expression: which names it uses, how deep it is, what it calls.
import type { ASTNode } from '@marcbachmann/cel-js';

export interface References {
  /** Steps that must have ended before. */
  steps: Set<string>;
  /** Those of them whose output is used. */
  outputs: Set<string>;
  /** Every free name, `steps` included. */
  roots: Set<string>;
}

export interface TreeFault {
  position: number;
  detail: string;
}

export interface TreeReport {
  references: References;
  faults: TreeFault[];
}

const MAX_DEPTH = 100;
const MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
// Local time depends on the machine and the sandbox has no Buffer, so these would not mean the same everywhere; a regular
// expression may take for ever inside one step, where no meter can stop it.
const REFUSED_METHODS = new Set(['getDayOfYear', 'json', 'matches']);

/** `isKnown` tells the names the language itself brings, such as the type `int`. */
export function readTree(root: ASTNode, isKnown: (name: string) => boolean): TreeReport {
  const report: TreeReport = { references: { steps: new Set(), outputs: new Set(), roots: new Set() }, faults: [] };
  visit(root, new Set(), 1);
  return report;

  function visit(node: ASTNode, bound: ReadonlySet<string>, depth: number): void {
    if (depth > MAX_DEPTH) {
      if (depth === MAX_DEPTH + 1) report.faults.push(fault(node, `nested more than ${MAX_DEPTH} deep`));
      return;
    }
    if (node.op === 'id') return noteName(node, bound);
    const step = bound.has('steps') ? null : stepAccess(node);
    if (step !== null) {
      report.references.roots.add('steps');
      noteStep(step, node);
      return;
    }
    checkCall(node);
    for (const [child, names] of childrenWithNames(node)) {
      visit(child, names.length === 0 ? bound : new Set([...bound, ...names]), depth + 1);
    }
  }

  function noteName(node: ASTNode & { op: 'id' }, bound: ReadonlySet<string>): void {
    if (bound.has(node.args) || isKnown(node.args)) return;
    report.references.roots.add(node.args);
    if (node.args === 'steps') report.faults.push(fault(node, 'steps must be followed by the id of a step'));
  }

  function noteStep({ id, field }: StepAccess, node: ASTNode): void {
    report.references.steps.add(id);
    if (field !== 'status') report.references.outputs.add(id);
    if (field === 'output' || field === 'status') return;
    const found = field === null ? '' : `, not .${field}`;
    report.faults.push(fault(node, `steps.${id} must be followed by .output or .status${found}`));
  }

  function checkCall(node: ASTNode): void {
    if (node.op !== 'rcall') return;
    const [name, , args] = node.args;
    const takesZone = name.startsWith('get') && args.length > 0;
    if (REFUSED_METHODS.has(name) || takesZone) {
      report.faults.push(fault(node, `${name}() with these arguments is not available in workflows`));
    }
  }
}

/** The nodes directly below. */
export function children(node: ASTNode): ASTNode[] {
  return childrenWithNames(node).map(([child]) => child);
}

interface StepAccess {
  id: string;
  field: string | null;
}

/** `steps.a.output`, `steps["a"].status`, or a bare `steps.a`, whose field is null. */
function stepAccess(node: ASTNode): StepAccess | null {
  const outer = accessOf(node);
  if (outer === null) return null;
  if (isSteps(outer.of)) return { id: outer.name, field: null };
  const inner = accessOf(outer.of);
  return inner !== null && isSteps(inner.of) ? { id: inner.name, field: outer.name } : null;
}

function accessOf(node: ASTNode): { of: ASTNode; name: string } | null {
  if (node.op === '.') return { of: node.args[0], name: node.args[1] };
  if (node.op !== '[]') return null;
  const [of, key] = node.args;
  return key.op === 'value' && typeof key.args === 'string' ? { of, name: key.args } : null;
}

function isSteps(node: ASTNode): boolean {
  return node.op === 'id' && node.args === 'steps';
}

/** Each child with the names its parent binds for it, as `x` in `list.map(x, x + 1)`. */
function childrenWithNames(node: ASTNode): [ASTNode, string[]][] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [[node.args[0], []]];
    case '!_':
    case '-_':
      return [[node.args, []]];
    case 'call':
      return unbound(node.args[1]);
    case 'map':
      return unbound(node.args.flat());
    case 'rcall':
      return callChildren(node);
    default:
      return unbound(node.args);
  }
}

function unbound(nodes: ASTNode[]): [ASTNode, string[]][] {
  return nodes.map((node) => [node, []]);
}

function callChildren(node: ASTNode & { op: 'rcall' }): [ASTNode, string[]][] {
  const [name, receiver, args] = node.args;
  const [variable, ...rest] = args;
  if (variable?.op !== 'id') return unbound([receiver, ...args]);
  if (MACROS.has(name)) return [[receiver, []], ...rest.map((arg): [ASTNode, string[]] => [arg, [variable.args]])];
  if (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel' && rest.length === 2) {
    return [...unbound(rest.slice(0, 1)), ...rest.slice(1).map((arg): [ASTNode, string[]] => [arg, [variable.args]])];
  }
  return unbound([receiver, ...args]);
}

function fault(node: ASTNode, detail: string): TreeFault {
  return { position: node.start, detail };
}
