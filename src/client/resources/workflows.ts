// Workflow definitions: stored in versions, checked, drawn, run.
import { createList } from '../list.ts';
import type { Transport } from '../transport.ts';
import type {
  CallOptions,
  CreateAndWaitOptions,
  Run,
  RunFields,
  Workflow,
  WorkflowDefinition,
  WorkflowFilter,
  WorkflowValidation,
} from '../types.ts';
import { createAndWait } from '../wait.ts';
import type { BuiltWorkflow } from '../workflow-builder.ts';

const PATH = '/v1/workflows';

export function createWorkflows(transport: Transport) {
  const pathOf = (name: string, action = '') => `${PATH}/${encodeURIComponent(name)}${action}`;

  function put(workflow: BuiltWorkflow, options?: CallOptions): Promise<Workflow>;
  function put(name: string, definition: WorkflowDefinition, options?: CallOptions): Promise<Workflow>;
  function put(workflow: string | BuiltWorkflow, second?: WorkflowDefinition | CallOptions, third?: CallOptions) {
    const [name, body, options] =
      typeof workflow === 'string'
        ? [workflow, second, third]
        : [workflow.name, workflow.definition(), second as CallOptions];
    return transport.json<Workflow>({ method: 'PUT', path: pathOf(name), body }, options);
  }

  /** Given the built workflow, its `input` is checked by the compiler. */
  function run<Input>(
    workflow: string | BuiltWorkflow<Input>,
    fields: RunFields<NoInfer<Input>> = {},
    options?: CreateAndWaitOptions,
  ): Promise<Run> {
    const name = typeof workflow === 'string' ? workflow : workflow.name;
    return createAndWait<Run>(
      transport,
      { path: pathOf(name, '/runs'), thingsPath: '/v1/runs', body: fields },
      options,
    );
  }

  return {
    put,
    run,
    get: (name: string, { version, ...options }: CallOptions & { version?: number } = {}) =>
      transport.json<Workflow>(
        { method: 'GET', path: pathOf(name, version === undefined ? '' : `/versions/${version}`) },
        options,
      ),
    list: (filter?: WorkflowFilter, options?: CallOptions) => createList<Workflow>(transport, PATH, filter, options),
    delete: (name: string, options?: CallOptions) =>
      transport.json<void>({ method: 'DELETE', path: pathOf(name) }, options),
    /** Throws with every fault at once in `errors`. */
    validate: (definition: WorkflowDefinition, options?: CallOptions) =>
      transport.json<WorkflowValidation>(
        { method: 'POST', path: `${PATH}/validate`, body: definition, repeatable: true },
        options,
      ),
    /** Mermaid. */
    graph: (name: string, options?: CallOptions) =>
      transport.text({ method: 'GET', path: pathOf(name, '/graph') }, options),
  };
}
