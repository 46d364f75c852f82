// What the validation of a definition asks of its surroundings: rules that jobs have too, and JSON Schema.
import type { FieldFault } from '../contract/problem.ts';

export type FieldCheck = (value: unknown, pointer: string) => FieldFault[];

export interface DefinitionChecks {
  /** An HTTP call with placeholders where expressions stand. */
  checkHttp: FieldCheck;
  /** Retry settings, all fields optional. */
  checkRetry: FieldCheck;
  checkSchema: FieldCheck;
}
