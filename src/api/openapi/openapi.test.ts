// The description is the API: no route without it, no example beside it, nothing committed that is not served.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, inject, test } from 'vitest';

import { routesOfApp } from '../../testing/routes.ts';
import { buildOpenApi } from './index.ts';

const document = buildOpenApi();
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
);

describe('the OpenAPI description', () => {
  test('has each route of the app, and no other', () => {
    const described = operations.map(({ name }) => name);
    expect(described.sort()).toEqual(routesOfApp().sort());
  });

  test('is committed as it is served (node scripts/openapi.mjs writes it)', () => {
    const committed: unknown = JSON.parse(readFileSync(join(inject('repoRoot'), 'openapi.json'), 'utf8'));
    expect(committed).toEqual(JSON.parse(JSON.stringify(document)));
  });

  test('names each operation once', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('refers to nothing that is not there', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)];
    expect(refs.length).toBeGreaterThan(100);
    const missing = refs.filter(([, kind = '', name = '']) => document.components[kind]?.[name] === undefined);
    expect(missing).toEqual([]);
  });

  test('gives examples that its own schemas accept', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(JSON.parse(JSON.stringify(document)) as object, 'openapi');
    const examples = operations.flatMap(({ name, operation }) =>
      examplesOf(operation).map((one) => ({ name, ...one })),
    );
    expect(examples.length).toBeGreaterThan(20);
    for (const { name, schema, value } of examples) {
      const faults = ajv.validate({ $ref: `openapi${schema.$ref}` }, value) ? null : ajv.errors;
      expect(faults, name).toBeNull();
    }
  });
});

interface Content {
  schema: { $ref?: string };
  example?: unknown;
  examples?: Record<string, { value?: unknown }>;
}

function examplesOf(operation: Record<string, unknown>): { schema: { $ref: string }; value: unknown }[] {
  const { requestBody, responses } = operation as {
    requestBody?: { content: Record<string, Content> };
    responses: Record<string, { content?: Record<string, Content> }>;
  };
  const contents = [requestBody, ...Object.values(responses)].flatMap((part) => Object.values(part?.content ?? {}));
  return contents.flatMap(({ schema, example, examples = {} }) => {
    const { $ref } = schema;
    if (!$ref) return [];
    const values = [example, ...Object.values(examples).map(({ value }) => value)].filter(
      (value) => value !== undefined,
    );
    return values.map((value) => ({ schema: { $ref }, value }));
  });
}
