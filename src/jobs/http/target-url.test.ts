// Spellings of forbidden targets, and what a URL may look like.
import { expect, test } from 'vitest';

import { parseEgress } from './egress.ts';
import { checkTargetUrl, TARGET_NOT_ALLOWED_DETAIL } from './target-url.ts';

const policy = parseEgress('public');

const FORBIDDEN_TARGETS = [
  ...['http://127.0.0.1/', 'http://127.0.0.1:8080/', 'http://127.1/', 'http://127.0.1/', 'http://2130706433/'],
  ...['http://0x7f000001/', 'http://0x7f.0.0.1/', 'http://0x7F.1/', 'http://0177.0.0.1/', 'http://017700000001/'],
  ...['http://0177.1/', 'http://127.0.0.1./', 'http://127.000.000.001/', 'http://0x7f.0x0.0x0.0x1/', 'http://0/'],
  ...['http://0.0.0.0/', 'http://0x0/', 'http://00000000000/', 'http://127.255.255.255/', 'http://%31%32%37.0.0.1/'],
  ...[
    'http://127%2e0%2e0%2e1/',
    'http://１２７.０.０.１/',
    'http://127。0。0。1/',
    'http://①②⑦.0.0.1/',
    'http://127．1/',
  ],
  ...[
    'http://[::1]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::FFFF:7F00:1]/',
  ],
  ...[
    'http://[0:0:0:0:0:ffff:127.0.0.1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::127.0.0.1]/',
    'http://[fe80::1]/',
  ],
  ...[
    'http://[2002:7f00:1::]/',
    'http://[fc00::1]/',
    'http://[fd00:ec2::254]/',
    'http://[ff02::1]/',
    'http://[2001::1]/',
  ],
  ...[
    'http://localhost/',
    'http://LOCALHOST/',
    'http://localhost./',
    'http://a.localhost/',
    'http://a.b.localhost.:8080/',
  ],
  ...[
    'http://ｌocalhost/',
    'http://loc%61lhost/',
    'http://10.0.0.1/',
    'http://167772161/',
    'http://012.0.0.1/',
    'http://10.1/',
  ],
  ...['http://172.16.0.1/', 'http://192.168.1.1/', 'http://3232235777/', 'http://0xc0a80101/', 'http://100.64.0.1/'],
  ...['http://169.254.169.254/latest/', 'http://2852039166/', 'http://0xa9fea9fe/', 'http://0251.0376.0251.0376/'],
  ...['http://[::ffff:a9fe:a9fe]/', 'http://169.254.43518/', 'http://metadata.google.internal/', 'http://metadata/'],
  ...['http://metadata.google.internal./', 'http://100.100.100.200/', 'http://168.63.129.16/', 'http://192.0.0.192/'],
  ...['http://198.18.0.1/', 'http://224.0.0.1/', 'http://255.255.255.255/', 'http://240.0.0.1/', 'http://192.0.2.1/'],
  ...['https://127.0.0.1/', 'HTTP://127.0.0.1/', 'http://127.0.0.1\\@example.com/', 'http://127.0.0.1?@example.com/'],
];

test.each(FORBIDDEN_TARGETS)('%s is not allowed under public', (url) => {
  expect(checkTargetUrl(url, policy)).toEqual({
    ok: false,
    code: 'targetNotAllowed',
    detail: TARGET_NOT_ALLOWED_DETAIL,
  });
});

test.each([
  ...[
    '',
    'example.com',
    '//example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http:example.com',
  ],
  ...['http:///127.0.0.1/', 'http:\\\\127.0.0.1/', 'http://', 'http://user@example.com/', 'http://u:p@example.com/'],
  ...['http://@example.com/', 'http://example.com:22/', 'http://example.com:0/', 'http://example.com:65536/'],
  ...[
    'http://example.com:1023/',
    'http://exa mple.com/',
    ' http://example.com/',
    'http://example.com/\n',
    'http://exam\tple.com/',
  ],
  ...[
    'http://example.com/a b',
    'http://example.com/\u0000',
    'http://example.com/\u00a0',
    'http://1.2.3.4.5/',
    'http://256.0.0.1/',
  ],
  ...[
    'http://[fe80::1%25eth0]/',
    'http://[fe80::1%eth0]/',
    'http://[::1/',
    'http://a..b/',
    'http://.example.com/',
    'http://./',
  ],
  ...[
    'http://0x7f.1.1.1.1/',
    `http://example.com/${'a'.repeat(8 * 1024)}`,
    `http://${'a.'.repeat(140)}com/`,
    'http://a%00b/',
  ],
])('%j is not a valid target', (url) => {
  expect(checkTargetUrl(url, policy)).toMatchObject({ ok: false, code: 'invalidUrl' });
});

test.each([
  ...[
    'http://example.com/',
    'https://example.com',
    'https://example.com:443/',
    'http://example.com:80/',
    'http://example.com:1024/',
  ],
  ...[
    'https://example.com:65535/',
    'https://example.com/a?b=c@d#e',
    'http://8.8.8.8/',
    'http://[2606:4700::1111]/',
    'https://bücher.example/ä',
  ],
  ...['http://internal.example/', 'http://127.0.0.1.nip.io/', 'http://localhost.example.com/', 'http://db/'],
])('%s may be called', (url) => {
  expect(checkTargetUrl(url, policy)).toMatchObject({ ok: true, url: new URL(url) });
});

test('the loopback names follow the policy', () => {
  const check = (setting: string) => checkTargetUrl('http://localhost:8080/', parseEgress(setting)).ok;
  expect([check('any'), check('127.0.0.0/8'), check('::1'), check('10.0.0.0/8')]).toEqual([true, true, true, false]);
});

test('metadata names are refused with any, unless their address is listed', () => {
  const check = (setting: string) => checkTargetUrl('http://metadata.google.internal/', parseEgress(setting)).ok;
  expect([check('any'), check('any,169.254.169.254/32')]).toEqual([false, true]);
});
