// The guards of outgoing calls, applied to a job as sent: its URL, its webhooks' URLs and its headers.

import { jsonPointer } from '../../contract/json-pointer.ts';
import type { FieldFault } from '../../contract/problem.ts';
import type { EgressPolicy } from '../http/egress.ts';
import { checkOutgoingHeaders } from '../http/headers.ts';
import { checkTargetUrl } from '../http/target-url.ts';
import { isMembers, type Members } from './rules.ts';

export interface TargetFaults {
  faults: FieldFault[];
  /** Whether one of them is a target that the policy refuses, rather than a URL that is none. */
  notAllowed: boolean;
}

export function targetFaults(input: unknown, policy: EgressPolicy, basePointer = ''): TargetFaults {
  const found: TargetFaults = { faults: [], notAllowed: false };
  for (const { path, url } of urlsOf(input)) {
    const check = checkTargetUrl(url, policy);
    if (check.ok) continue;
    found.faults.push({ pointer: jsonPointer(path, basePointer), detail: check.detail });
    found.notAllowed ||= check.code === 'targetNotAllowed';
  }
  return found;
}

export function headerFaults(input: unknown, basePointer = ''): FieldFault[] {
  const headers = isMembers(input) && isMembers(input.http) ? input.http.headers : undefined;
  if (!isMembers(headers)) return [];
  // A value of the wrong type is named by the schema; its name is still checked here.
  const checkable = Object.entries(headers).map(([name, value]) => [name, templateOf(value)] as const);
  return checkOutgoingHeaders(Object.fromEntries(checkable)).map(({ pointer, detail }) => ({
    pointer: `${basePointer}/http/headers${pointer}`,
    detail,
  }));
}

function templateOf(value: unknown): string | { secret: string; format?: string } {
  if (typeof value === 'string') return value;
  if (!isMembers(value) || typeof value.secret !== 'string') return '';
  return typeof value.format === 'string' ? { secret: value.secret, format: value.format } : { secret: value.secret };
}

function urlsOf(input: unknown): { path: PropertyKey[]; url: string }[] {
  if (!isMembers(input)) return [];
  const rules: unknown[] = Array.isArray(input.notify) ? input.notify : [];
  const candidates = [
    { path: ['http', 'url'], url: memberOf(input.http, 'url') },
    ...rules.map((rule, index) => ({
      path: ['notify', index, 'webhook', 'url'],
      url: memberOf(memberOf(rule, 'webhook'), 'url'),
    })),
  ];
  return candidates.flatMap(({ path, url }) => (typeof url === 'string' ? [{ path, url }] : []));
}

function memberOf(value: unknown, name: keyof Members): unknown {
  return isMembers(value) ? value[name] : undefined;
}
