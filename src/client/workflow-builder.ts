// Builds a workflow definition whose references to steps and input are checked by the compiler.
import type { Compensation, StepFields, StepInput, StepKind, WorkflowDefinition, WorkflowOptions } from './types.ts';

/** A definition with its name, and (for the compiler only) the type of its input. */
export interface BuiltWorkflow<Input = never> {
  readonly name: string;
  definition(): WorkflowDefinition;
  /** Never there at run time: it carries the type of the input. */
  readonly inputType?: (input: Input) => void;
}

type Dotted<Value, Depth extends unknown[] = []> = Depth['length'] extends 5
  ? never
  : Value extends readonly unknown[] | ((...args: never) => unknown)
    ? never
    : Value extends object
      ? { [Key in keyof Value & string]: `.${Key}${'' | Dotted<NonNullable<Value[Key]>, [...Depth, 0]>}` }[keyof Value &
          string]
      : never;

type InputPath<Input> = 'input' | (unknown extends Input ? `input.${string}` : `input${Dotted<Input>}`);

type StepPath<StepId extends string> =
  `steps.${StepId}.status` | `steps.${StepId}.output` | `steps.${StepId}.output.${string}`;

/** What an expression may name: the input, steps added before, the item of a `forEach`, the run. */
export type Reference<Input, StepId extends string> =
  | InputPath<Input>
  | ([StepId] extends [never] ? never : StepPath<StepId>)
  | 'item'
  | `item.${string}`
  | 'index'
  | `run.${string}`;

export interface Expressions<Input, StepId extends string> {
  /** `ref('steps.charge.output.id')` is `"${ steps.charge.output.id }"`. A wrong step or input field does not compile. */
  ref: (path: Reference<Input, StepId>) => string;
  /** Any CEL, as written: not checked by the compiler. */
  expr: (cel: string) => string;
}

type Compensate<Input, StepId extends string> =
  Compensation | ((expressions: Expressions<Input, StepId>) => Compensation);

/** `compensate` may name the step's own output. */
type StepConfig<Input, StepId extends string, Own extends string> = StepFields<StepId> &
  StepKind<Compensate<Input, StepId | Own>>;

type StepOf<Input, StepId extends string, Own extends string> =
  StepConfig<Input, StepId, Own> | ((expressions: Expressions<Input, StepId>) => StepConfig<Input, StepId, Own>);

type Options<Input, StepId extends string> =
  WorkflowOptions | ((expressions: Expressions<Input, StepId>) => WorkflowOptions);

/** Immutable: each call answers a new builder. */
export interface WorkflowBuilder<Input, StepId extends string> extends BuiltWorkflow<Input> {
  /** States the type of the input; with a JSON Schema the service checks it too. */
  input<NewInput>(schema?: Record<string, unknown>): WorkflowBuilder<NewInput, StepId>;
  /** A name taken before does not compile. */
  step<Id extends string>(
    id: Id extends StepId ? never : Id,
    step: StepOf<Input, StepId, Id>,
  ): WorkflowBuilder<Input, StepId | Id>;
  /** Description, defaults, output, notifications. */
  with(options: Options<Input, StepId>): WorkflowBuilder<Input, StepId>;
}

export function workflow(name: string): WorkflowBuilder<unknown, never> {
  return createBuilder(name, { steps: [] });
}

function createBuilder<Input, StepId extends string>(
  name: string,
  definition: WorkflowDefinition,
): WorkflowBuilder<Input, StepId> {
  return {
    name,
    definition: () => definition,
    input: (schema) => createBuilder(name, { ...definition, ...(schema && { input: { schema } }) }),
    step: (id, step) => createBuilder(name, { ...definition, steps: [...definition.steps, buildStep(id, step)] }),
    with: (options) => {
      const more = typeof options === 'function' ? options(expressions) : options;
      return createBuilder(name, { ...definition, ...more });
    },
  };
}

const expressions = { ref: (path: string) => `\${ ${path} }`, expr: (cel: string) => `\${ ${cel} }` };

function buildStep<Input, StepId extends string, Own extends string>(
  id: string,
  step: StepOf<Input, StepId, Own>,
): StepInput {
  const { compensate, ...config } = typeof step === 'function' ? step(expressions) : step;
  const undo = typeof compensate === 'function' ? compensate(expressions) : compensate;
  return { id, ...config, ...(undo && { compensate: undo }) } as StepInput;
}
