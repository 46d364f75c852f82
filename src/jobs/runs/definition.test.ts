import { describe, expect, it } from 'vitest';

import { parseEgress } from '../http/egress.ts';
import { parseDefinition } from './definition.ts';

const STEPS = [{ id: 'a', transform: 1 }];
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const rule = (by: object) => ({ on: ['failed'], ...by });
const parse = (notify: unknown, steps: unknown = STEPS) =>
  parseDefinition({ steps, notify }, parseEgress('any'), '/definition');

describe('who is told of a run', () => {
  it('is named by the rules of a job', () => {
    const url = 'https://h.example/';
    expect(parse([rule({ webhook: { url, secret: SECRET } }), rule({ webhook: { url } })])).toMatchObject({ ok: true });
    expect(parse([rule({ email: { to: ['ops@example.com'] } })])).toMatchObject({ ok: true });
  });

  it.each([
    ['a secret that is no base64', { webhook: { url: 'https://h.example/', secret: 'whsec_!!!!' } }, 'webhook/secret'],
    ['a secret that is too short', { webhook: { url: 'https://h.example/', secret: 'whsec_AAAA' } }, 'webhook/secret'],
    ['an address with a header in it', { email: { to: ['a@b,c@d'] } }, 'email/to/0'],
  ])('is not %s', (_what, by, place) => {
    expect(parse([rule(by)])).toMatchObject({
      ok: false,
      code: 'validationFailed',
      faults: [{ pointer: `/definition/notify/0/${place}` }],
    });
  });

  it('is told wrong together with all else', () => {
    const parsed = parse([rule({ webhook: { url: 'https://h.example/', secret: 'x' } })], [{ id: 'a' }]);
    const pointers = parsed.ok ? [] : parsed.faults.map(({ pointer }) => pointer);
    expect(pointers).toContain('/definition/notify/0/webhook/secret');
    expect(pointers.some((pointer) => pointer.startsWith('/definition/steps'))).toBe(true);
  });
});
