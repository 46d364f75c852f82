// Which addresses each setting opens.
import { expect, test } from 'vitest';

import { parseEgress } from './egress.ts';

const PUBLIC = ['8.8.8.8', '93.184.216.34', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'];
const NOT_PUBLIC = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.1.1', '172.16.0.1'],
  ...['172.31.255.255', '192.0.0.8', '192.0.2.1', '192.88.99.1', '192.168.1.1', '198.18.0.1', '198.19.255.255'],
  ...['198.51.100.1', '203.0.113.1', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255', '::', '::1'],
  ...['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:0:10.0.0.1', '::8.8.8.8', '::127.0.0.1', '64:ff9b::7f00:1'],
  ...['64:ff9b::a00:1', '64:ff9b:1::808:808', '100::1', '2001::1', '2001:2::1', '2001:10::1', '2001:20::1'],
  ...['2001:db8::1', '2002:7f00:1::', '2002:808:808::', '3fff::1', '5f00::1', 'fc00::1', 'fd12:3456::1', 'fe80::1'],
  ...['fe80::1%eth0', 'fec0::1', 'ff02::1', '4000::1'],
];
const METADATA = [
  ...['169.254.169.254', '169.254.170.2', '100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254'],
  ...['fd20:ce::254', '::ffff:169.254.169.254', '::169.254.169.254', '64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::1'],
];

test.each(PUBLIC)('public allows %s', (ip) => expect(parseEgress('public').allowsAddress(ip)).toBe(true));

test.each([...NOT_PUBLIC, ...METADATA])('public refuses %s', (ip) => {
  expect(parseEgress('public').allowsAddress(ip)).toBe(false);
});

test.each(METADATA)('any refuses the metadata address %s', (ip) => {
  expect(parseEgress('any').allowsAddress(ip)).toBe(false);
  expect(parseEgress('any,0.0.0.0/0,::/0').allowsAddress(ip)).toBe(false);
});

test('any allows everything else', () => {
  for (const ip of ['127.0.0.1', '10.0.0.1', '::1', 'fd12::1', '8.8.8.8', '192.168.0.1']) {
    expect(parseEgress('any').allowsAddress(ip)).toBe(true);
  }
});

test('a metadata address is allowed once it is listed', () => {
  const policy = parseEgress('any,169.254.169.254/32');
  expect(policy.allowsAddress('169.254.169.254')).toBe(true);
  expect(policy.allowsAddress('::ffff:169.254.169.254')).toBe(true);
  expect(policy.allowsAddress('169.254.170.2')).toBe(false);
});

test('a list allows what it names and nothing else, with public also the rest of the world', () => {
  const list = parseEgress(' 10.1.0.0/16, 127.0.0.1 ,fd12::/16');
  for (const ip of ['10.1.2.3', '127.0.0.1', '::ffff:10.1.2.3', 'fd12::5']) expect(list.allowsAddress(ip)).toBe(true);
  for (const ip of ['10.2.0.1', '127.0.0.2', '8.8.8.8', 'fd13::1']) expect(list.allowsAddress(ip)).toBe(false);
  const both = parseEgress('Public,10.1.0.0/16');
  for (const ip of ['10.1.2.3', '8.8.8.8']) expect(both.allowsAddress(ip)).toBe(true);
  expect(both.allowsAddress('10.2.0.1')).toBe(false);
});

test.each([
  '',
  'pubic',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0/8',
  '010.0.0.1',
  '::1/129',
  'fe80::1%lo',
  'public,',
])('the setting %j is refused with the part that is wrong', (setting) =>
  expect(() => parseEgress(setting)).toThrow(/^egress: ".*" is not "public", "any", an IP address or a CIDR/),
);

test('what is not an address is never allowed', () => {
  for (const ip of ['', 'localhost', '127.1', '0x7f000001', '1.2.3.4.5']) {
    expect(parseEgress('any').allowsAddress(ip)).toBe(false);
  }
});
