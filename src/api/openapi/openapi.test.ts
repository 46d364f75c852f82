// The description is the API: no route without it, no example beside it, nothing committed that is not served.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Router } from 'express';
import { describe, expect, inject, test } from 'vitest';

import { createApp } from '../app.ts';
import { buildOpenApi } from './index.ts';

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];
const document = buildOpenApi();
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
);

describe('the OpenAPI description', () => {
  test('has each route of the app, and no other', () => {
    const described = operations.map(({ name }) => name);
    expect(described.sort()).toEqual(routesOf(createApp(anything())).sort());
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

type Layer = Omit<Router['stack'][number], 'handle'> & {
  handle: { stack?: Layer[] };
  match(path: string): { path: string } | false;
};

/** `get /v1/jobs/{id}`, as the app has them mounted. */
function routesOf({ router }: { router: unknown }): string[] {
  return (router as { stack: Layer[] }).stack.flatMap((layer) => {
    const mounted = layer.match('/v1/x');
    const prefix = layer.match('/') ? '' : mounted ? mounted.path : '';
    return (layer.handle.stack ?? []).flatMap(({ route }) => {
      // What /docs loads is no part of the API.
      const paths = [route?.path ?? []].flat().filter((path) => !path.startsWith('/docs/'));
      const methods = new Set(route?.stack.map(({ method }) => method).filter((method) => METHODS.includes(method)));
      return paths.flatMap((path) =>
        [...methods].map((method) => `${method} ${prefix}${path.replace(/:(\w+)/g, '{$1}')}`),
      );
    });
  });
}

/** Routes only take their dependencies apart when they are made; nothing is called. */
function anything(): Parameters<typeof createApp>[0] {
  const proxy: unknown = new Proxy(() => proxy, { get: () => proxy });
  return proxy as Parameters<typeof createApp>[0];
}
