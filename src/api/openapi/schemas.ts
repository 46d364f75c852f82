// From zod schemas to the components of the document; and the schemas that many answers share.
import { z } from 'zod';

import { DURATION_PATTERN } from '../../contract/duration.ts';
import type { FieldFault } from '../../contract/problem.ts';
import type { ProblemView } from '../../jobs/view.ts';
import type { Node } from './document.ts';

type SameMembers<A, B> = [keyof A, keyof B] extends [keyof B, keyof A] ? true : false;

/** The schema of an answer of type T: what it says of a member must hold, and it names all members and no others. */
export function answerSchema<T>() {
  return <S extends z.ZodType<T>>(schema: SameMembers<z.output<S>, T> extends true ? S : never): S => schema;
}

export const ID_PATTERN = '^[A-Za-z0-9_.:-]{1,200}$';
export const id = z.string().meta({ pattern: ID_PATTERN });
export const instant = z.string().meta({ format: 'date-time' });
export const durationText = z.string().meta({ pattern: DURATION_PATTERN });
export const count = z.int().min(0);
export const labels = z.record(z.string(), z.string());

export const fault = answerSchema<FieldFault>()(z.strictObject({ pointer: z.string(), detail: z.string() }));

/** Why a job, an attempt or a step did not succeed. */
export const failureSchema = answerSchema<ProblemView>()(
  z.strictObject({
    type: z.string(),
    code: z.string().meta({ description: 'Stable; each has a page under docs/errors.', examples: ['httpStatus'] }),
    title: z.string(),
    status: z.int().nullable().meta({ description: 'The status the target answered with, if it did.' }),
    detail: z.string().nullable(),
  }),
);

export function listOf(item: z.ZodType) {
  const nextCursor = z.string().nullable().meta({ description: '`null` on the last page.' });
  return z.strictObject({ items: z.array(item), nextCursor });
}

/** One component per named schema; where one holds another, it refers to it. */
export function toComponents(schemas: Record<string, z.ZodType>, io: 'input' | 'output'): Record<string, Node> {
  const registry = z.registry<{ id: string }>();
  for (const [name, schema] of Object.entries(schemas)) registry.add(schema, { id: name });
  const { schemas: made } = z.toJSONSchema(registry, {
    io,
    uri: (name) => `#/components/schemas/${name}`,
    unrepresentable: 'throw',
    override: ({ jsonSchema }) => {
      if (jsonSchema.pattern !== DURATION_PATTERN) return;
      for (const member of Object.keys(jsonSchema)) delete jsonSchema[member as keyof typeof jsonSchema];
      jsonSchema.$ref = '#/components/schemas/Duration';
    },
  });
  return Object.fromEntries(
    Object.entries(made).map(([name, { $schema: _dialect, $id: _id, ...schema }]) => [name, schema as Node]),
  );
}

export const DURATION: Node = {
  type: 'string',
  pattern: DURATION_PATTERN,
  maxLength: 64,
  description: 'A duration such as `500ms`, `30s`, `1h30m`, `2d` or ISO 8601 `PT1H30M`. Bare numbers are refused.',
  examples: ['30s', '1h30m', 'PT1H30M'],
};
