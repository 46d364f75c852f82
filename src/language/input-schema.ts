// JSON Schema of a run's input or a signal's payload. Generates code, so workflows must never import it.
import type { ErrorObject } from 'ajv';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

import type { FieldFault } from '../contract/problem.ts';

export type SchemaValidator = (value: unknown, pointer: string) => FieldFault[];

const DRAFT_7 = /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/;
const MAX_SCHEMA_LENGTH = 65_536;
const MAX_FAULTS = 50;

/** The faults of a schema itself. */
export function checkSchema(schema: unknown, pointer: string): FieldFault[] {
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null || Array.isArray(schema))) {
    return [{ pointer, detail: 'must be a JSON Schema' }];
  }
  if (JSON.stringify(schema).length > MAX_SCHEMA_LENGTH) {
    return [{ pointer, detail: `must be at most ${MAX_SCHEMA_LENGTH} characters of JSON` }];
  }
  try {
    const ajv = createAjv(schema);
    if (ajv.validateSchema(schema) !== true) return faultsOf(ajv.errors, pointer);
    ajv.compile(schema);
    return [];
  } catch (error) {
    return [{ pointer, detail: `is not a usable JSON Schema: ${(error as Error).message}` }];
  }
}

/** Costs milliseconds: keep the result as long as the schema is in use. */
export function compileSchema(schema: object | boolean): SchemaValidator {
  const validate = createAjv(schema).compile(schema);
  return (value, pointer) => (validate(value) ? [] : faultsOf(validate.errors, pointer));
}

/** One instance per schema: an instance keeps every schema, and every `$id`, it has ever seen. */
function createAjv(schema: object | boolean): Ajv {
  const dialect = typeof schema === 'object' && '$schema' in schema ? String(schema.$schema) : '';
  // Formats are notes here, as the standard has it by default; unknown keywords too.
  const options = { allErrors: true, strict: false, validateFormats: false, logger: false } as const;
  return DRAFT_7.test(dialect) ? new Ajv(options) : new Ajv2020(options);
}

function faultsOf(errors: ErrorObject[] | null | undefined, pointer: string): FieldFault[] {
  const faults = (errors ?? []).map((error) => ({ pointer: pointer + error.instancePath, detail: detailOf(error) }));
  const unique = new Map(faults.map((fault) => [`${fault.pointer} ${fault.detail}`, fault]));
  return [...unique.values()].slice(0, MAX_FAULTS);
}

function detailOf({ keyword, message = 'is not valid', params }: ErrorObject): string {
  if (keyword !== 'additionalProperties') return message;
  return `${message}: ${String((params as { additionalProperty?: unknown }).additionalProperty)}`;
}
