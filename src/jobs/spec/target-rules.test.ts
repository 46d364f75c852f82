// Proves that a bad target is refused at the door, and by the right code.

import { describe, expect, it } from 'vitest';

import { parseJobSpec } from './parse-job-spec.ts';
import { http, options } from './spec.test-helper.ts';

describe('a target', () => {
  it.each([
    ...[
      'http://127.0.0.1/',
      'http://127.1/',
      'http://2130706433/',
      'http://0x7f000001/',
      'http://0177.0.0.1/',
      'http://0/',
    ],
    ...['http://127.0.0.1./', 'http://0x7f.1/', 'http://localhost/', 'http://LOCALHOST/', 'http://a.localhost/'],
    ...[
      'http://localhost./',
      'http://[::1]/',
      'http://[::]/',
      'http://[0:0:0:0:0:0:0:1]/',
      'http://[::ffff:127.0.0.1]/',
    ],
    ...['http://[::ffff:7f00:1]/', 'http://[::127.0.0.1]/', 'http://[64:ff9b::7f00:1]/', 'http://[fe80::1]/'],
    ...[
      'http://[fc00::1]/',
      'http://[fd00:ec2::254]/',
      'http://10.0.0.1/',
      'http://172.16.0.1/',
      'http://192.168.1.1/',
    ],
    ...['http://169.254.169.254/latest/meta-data/', 'http://0xa9fea9fe/', 'http://2852039166/', 'http://100.64.0.1/'],
    ...['http://100.100.100.200/', 'http://metadata.google.internal/', 'http://0.0.0.0/', 'http://255.255.255.255/'],
    ...['http://224.0.0.1/', 'http://192.0.2.1/', 'http://198.18.0.1/', 'http://①②⑦.⓪.⓪.①/', 'http://127。0。0。1/'],
    ...['http://%31%32%37.0.0.1/', 'http://[::ffff:a9fe:a9fe]/', 'http://[2002:7f00:1::]/'],
  ])('that the policy refuses says so by its code: %s', (target) => {
    expect(parseJobSpec(http({ url: target }), options)).toMatchObject({
      ok: false,
      code: 'targetNotAllowed',
      faults: [{ pointer: '/http/url' }],
    });
  });

  it.each([
    ...[
      '',
      ' ',
      'example.com',
      '//example.com',
      '/path',
      'ftp://example.com/',
      'file:///etc/passwd',
      'gopher://example.com',
    ],
    ...['javascript:alert(1)', 'data:,x', 'http:', 'http://', 'http:///x', 'http:example.com', 'https:/example.com'],
    ...['http://user@example.com/', 'http://user:pass@example.com/', 'http://@example.com/', 'http://:@example.com'],
    ...['http://example.com:22/', 'http://example.com:0/', 'http://example.com:65536/', 'http://example.com:x/'],
    ...[
      'http://exa mple.com/',
      'http://example.com/a b',
      'http://example.com/\n',
      '\thttp://example.com/',
      'http://[::1',
    ],
    ...['http://1.2.3.4.5/', 'http://999.1.1.1/', 'http://exa\0mple.com/', 'http:\\\\example.com\\', 'http://../'],
    ...[`http://${'a'.repeat(300)}.com/`, `http://example.com/${'a'.repeat(9000)}`, 'http://127.0.0.1@example.com/'],
  ])('that is no URL of ours is a fault of validation: %j', (target) => {
    expect(parseJobSpec(http({ url: target }), options)).toMatchObject({
      ok: false,
      code: 'validationFailed',
      faults: [{ pointer: '/http/url' }],
    });
  });
});
