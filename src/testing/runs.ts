// Starts workflows in tests and waits for the end of their runs.
import { expect } from 'vitest';

import type { Api, Json } from './api.ts';

export const JSON_ANSWER = { 'content-type': 'application/json' };

let names = 0;

/** A name, or a path, that no other test uses, and that is not the beginning of another. */
export function unique(prefix: string): string {
  return `${prefix}-${(names += 1)}-`;
}

export function createRunTools(getApi: () => Api) {
  const define = async (definition: Json, name = unique('w')): Promise<string> => {
    const put = await getApi().put(`/v1/workflows/${name}`, definition);
    expect(put.status, put.text).toBeLessThan(202);
    return name;
  };
  return {
    define,
    async start(definition: Json, fields: Json = {}): Promise<Json> {
      const started = await getApi().post(`/v1/workflows/${await define(definition)}/runs`, fields);
      expect(started.status, started.text).toBe(201);
      return started.body;
    },
    async ended(id: string): Promise<Json> {
      const { body } = await getApi().get(`/v1/runs/${id}?wait=40s`);
      expect(body.finishedAt, JSON.stringify(body)).not.toBeNull();
      return body;
    },
    read: async (id: string): Promise<Json> => (await getApi().get(`/v1/runs/${id}`)).body,
  };
}

export function statuses(run: Json): Record<string, string> {
  return Object.fromEntries(run.steps.map((step: Json) => [step.id, step.status]));
}

export function stepOf(run: Json, id: string): Json {
  return run.steps.find((step: Json) => step.id === id);
}
