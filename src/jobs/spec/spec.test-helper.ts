// What the tests of job specs share: a fixed clock and policy, and jobs that differ in one member.

import type { FieldFault } from '../../contract/problem.ts';
import { parseEgress } from '../http/egress.ts';
import { type ParseJobOptions, parseJobSpec } from './parse-job-spec.ts';

export const options: ParseJobOptions = { policy: parseEgress('public'), now: new Date('2026-06-01T12:00:00Z') };
export const url = 'https://api.example.com/charge';
export const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

export const job = (members: object = {}) => ({ http: { url }, ...members });
export const http = (members: object) => job({ http: { url, ...members } });
export const retry = (members: object) => job({ retry: members });
export const notify = (rule: object) => job({ notify: [{ on: ['failed'], ...rule }] });

export function specOf(input: unknown, changes: Partial<ParseJobOptions> = {}) {
  const result = parseJobSpec(input, { ...options, ...changes });
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.spec;
}

export function faultsOf(input: unknown, changes: Partial<ParseJobOptions> = {}): FieldFault[] {
  const result = parseJobSpec(input, { ...options, ...changes });
  return result.ok ? [] : result.faults;
}

export function pointersOf(input: unknown, changes: Partial<ParseJobOptions> = {}): string[] {
  return faultsOf(input, changes).map(({ pointer }) => pointer);
}
