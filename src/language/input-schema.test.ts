// JSON Schemas of both common drafts, with faults at their place.
import { describe, expect, test } from 'vitest';

import { checkSchema, compileSchema } from './input-schema.ts';

describe('input schema', () => {
  test('faults carry the pointer of the value', () => {
    const validate = compileSchema({ type: 'object', required: ['a'], properties: { b: { type: 'number' } } });
    expect(validate({ a: 1, b: 2 }, '/input')).toEqual([]);
    expect(validate({ b: 'x' }, '/input').map(({ pointer }) => pointer)).toEqual(['/input', '/input/b']);
  });

  test('draft 7 and 2020-12 are both understood', () => {
    const draft7 = { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] };
    expect(checkSchema(draft7, '')).toEqual([]);
    expect(compileSchema(draft7)([1], '/x')).toMatchObject([{ pointer: '/x/0' }]);
    expect(checkSchema({ prefixItems: [{ type: 'string' }] }, '')).toEqual([]);
    expect(compileSchema({ prefixItems: [{ type: 'string' }] })([1], '/x')).toMatchObject([{ pointer: '/x/0' }]);
  });
});
