// Which addresses outgoing calls may reach: `PERDURE_EGRESS` as a policy.
import { isIP } from 'node:net';

import ipaddr from 'ipaddr.js';

export interface EgressPolicy {
  allowsAddress(ip: string): boolean;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

// Where clouds serve credentials to whoever asks from inside. Link-local as a whole: AWS, GCP, Azure, ECS, EKS, Tencent
// and Scaleway each took another address of it, and nothing else answers HTTP there.
const METADATA_RANGES = [
  '169.254.0.0/16',
  '100.100.100.200/32', // Alibaba
  '168.63.129.16/32', // Azure, from a public range
  '192.0.0.192/32', // Oracle
  'fd00:ec2::/32', // AWS
  'fd20:ce::254/128', // GCP
  'fd00:42::42/128', // Scaleway
  'fe80::a9fe:a9fe/128', // OpenStack
].map(parseRange);

const GLOBAL_UNICAST = parseRange('2000::/3');

// IPv6 ranges that carry an IPv4 address, and the byte it begins at.
const EMBEDDED_IPV4: [Range, number][] = [
  [parseRange('64:ff9b::/96'), 12],
  [parseRange('64:ff9b:1::/48'), 12],
  [parseRange('::ffff:0:0:0/96'), 12],
  [parseRange('::/96'), 12],
  [parseRange('2002::/16'), 2],
];
const NAT64 = parseRange('64:ff9b::/96');

/**
 * Throws an `Error` that names the part of the setting that is wrong.
 * A metadata address needs a range of its own: `0.0.0.0/0` says no more than `any` does.
 */
export function parseEgress(setting: string): EgressPolicy {
  const parts = setting.split(',').map((part) => part.trim().toLowerCase());
  const named = parts.filter((part) => part === 'public' || part === 'any');
  const listed = parts.filter((part) => part !== 'public' && part !== 'any').map(parseRange);
  const any = named.includes('any');
  const open = named.includes('public');

  const allowsAddress = (ip: string): boolean => {
    if (isIP(ip) === 0) return false;
    const dialed = unmapped(parseAddress(ip));
    const reached = throughNat64(dialed);
    if (isMetadata(dialed)) return listed.some((range) => range[1] > 0 && contains(range, reached));
    if (any || (open && isPublic(reached))) return true;
    return listed.some((range) => contains(range, dialed) || contains(range, reached));
  };
  return { allowsAddress };
}

function parseRange(text: string): Range {
  const [ip = '', prefix, ...rest] = text.split('/');
  const family = isIP(ip);
  const bits = family === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : Number(prefix);
  if (family === 0 || ip.includes('%') || rest.length > 0 || !/^\d{1,3}$/.test(prefix ?? '0') || length > bits) {
    throw new Error(`egress: "${text}" is not "public", "any", an IP address or a CIDR such as 10.0.0.0/8`);
  }
  const address = parseAddress(ip);
  const mapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && length >= 96;
  return mapped ? [address.toIPv4Address(), length - 96] : [address, length];
}

function parseAddress(ip: string): Address {
  if (isIP(ip) === 4) return ipaddr.parse(ip);
  // ipaddr.js takes `::8.8.8.8` for the mapped `::ffff:8.8.8.8`; the URL parser spells both in hexadecimal only.
  return ipaddr.parse(new URL(`http://[${ip.replace(/%.*/, '')}]`).hostname.slice(1, -1));
}

function unmapped(address: Address): Address {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function contains([network, length]: Range, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, length);
}

/** Also through an IPv6 form of its IPv4 address. */
function isMetadata(address: Address): boolean {
  const embedded = EMBEDDED_IPV4.filter(([range]) => contains(range, address)).map(
    ([, offset]) => new ipaddr.IPv4(address.toByteArray().slice(offset, offset + 4)),
  );
  return [address, ...embedded].some((form) => METADATA_RANGES.some((range) => contains(range, form)));
}

/** In an IPv6-only network DNS64 answers for every IPv4 host with such an address: judged as the host it leads to. */
function throughNat64(address: Address): Address {
  return contains(NAT64, address) ? new ipaddr.IPv4(address.toByteArray().slice(12)) : address;
}

function isPublic(address: Address): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || contains(GLOBAL_UNICAST, address));
}
