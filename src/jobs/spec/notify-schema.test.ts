// Proves what a rule of notification may hold.

import { describe, expect, it } from 'vitest';

import { job, notify, pointersOf, secret, url } from './spec.test-helper.ts';

const ids = (count: number) => Array.from({ length: count }, (_, index) => `job_${index}`);

describe('a bad rule', () => {
  it.each<[object, string[]]>([
    [{}, ['']],
    [{ webhook: { url }, email: { to: ['a@b.c'] } }, ['/email', '/webhook']],
    [{ on: [], webhook: { url } }, ['/on']],
    [{ on: ['failed', 'running', 'failed'], webhook: { url } }, ['/on/1', '/on/2']],
    [{ on: 'failed', webhook: { url } }, ['/on']],
    [{ slack: {}, webhook: { url } }, ['/slack']],
    [{ webhook: {} }, ['/webhook/url']],
    [{ webhook: { url: 'mailto:a@b.c' } }, ['/webhook/url']],
    [{ webhook: { url: 'http://127.0.0.1/' } }, ['/webhook/url']],
    [{ webhook: { url, key: 'x' } }, ['/webhook/key']],
    ...[
      '',
      'whsec_',
      'secret',
      secret.slice(6),
      `${secret} `,
      `whsec_${'A'.repeat(28)}`,
      `whsec_${'A'.repeat(88)}`,
      1,
    ].map((value): [object, string[]] => [{ webhook: { url, secret: value } }, ['/webhook/secret']]),
    [{ email: {} }, ['/email/to']],
    [{ email: { to: [] } }, ['/email/to']],
    [{ email: { to: ids(51).map((id) => `${id}@example.com`) } }, ['/email/to']],
    ...[
      ...[
        '',
        'a',
        'a@',
        '@b.c',
        'a@b@c',
        'a b@c.d',
        'a@b.c\r\nBcc: x@y.z',
        'a@b.c\n',
        '<a@b.c>',
        'A <a@b.c>',
        'a@b.c,d@e.f',
      ],
      ...['.a@b.c', 'a.@b.c', 'a..b@c.d', 'a@-b.c', 'a@b..c', 'a@b.c.', 'a@[127.0.0.1]', '"a"@b.c', 'é@b.c', 'a@b.c;'],
      ...['x'.repeat(65) + '@b.c', 'a@' + 'b'.repeat(64) + '.c', 1],
    ].map((address): [object, string[]] => [{ email: { to: ['ok@b.c', address] } }, ['/email/to/1']]),
  ])('notifies by %j: faults at %j', (rule, pointers) => {
    expect(pointersOf(notify(rule)).sort()).toEqual(pointers.map((pointer) => `/notify/0${pointer}`));
  });

  it('has at most 20 rules of notification', () => {
    const rule = { on: ['failed'], webhook: { url } };
    expect(pointersOf(job({ notify: Array.from({ length: 21 }, () => rule) }))).toEqual(['/notify']);
  });
});
