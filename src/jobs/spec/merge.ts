// Two ways to lay one JSON over another: a batch's defaults under an item, and a merge patch (RFC 7396) over a spec.

import { jsonPointer, parseJsonPointer } from '../../contract/json-pointer.ts';
import type { FieldFault } from '../../contract/problem.ts';
import { BODY_FIELDS } from './http-schema.ts';
import { isMembers, type Members } from './rules.ts';

const TIMING_FIELDS = ['runAt', 'delay'];

/** The item over the defaults, field by field, also within `http`, `retry`, headers and labels. */
export function mergeItemDefaults(defaults: unknown, item: unknown): unknown {
  if (!isMembers(defaults) || !isMembers(item)) return item;
  return withNested(overlay(defaults, item, TIMING_FIELDS), {
    http: mergeHttp(defaults.http, item.http),
    retry: overlayOrItem(defaults.retry, item.retry),
    labels: overlayOrItem(defaults.labels, item.labels),
  });
}

/** A fault of a merged item at the place where its cause was sent: in the item, or in the defaults. */
export function locateFault(
  fault: FieldFault,
  sent: { item: unknown; itemPointer: string; defaults: unknown; defaultsPointer: string },
): FieldFault {
  const path = parseJsonPointer(fault.pointer);
  const inDefaults = !holds(sent.item, path) && holds(sent.defaults, path);
  return { ...fault, pointer: jsonPointer(path, inDefaults ? sent.defaultsPointer : sent.itemPointer) };
}

/** RFC 7396: `null` removes a member, objects are merged, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMembers(patch)) return patch;
  const merged = new Map(isMembers(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

function mergeHttp(defaults: unknown, item: unknown): unknown {
  if (!isMembers(defaults) || !isMembers(item)) return item === undefined ? defaults : item;
  return withNested(overlay(defaults, item, BODY_FIELDS), { headers: mergeHeaders(defaults.headers, item.headers) });
}

/** Header names are one name in any case, so an item's `x-a` replaces a default `X-A`. */
function mergeHeaders(defaults: unknown, item: unknown): unknown {
  if (!isMembers(defaults) || !isMembers(item)) return item === undefined ? defaults : item;
  const given = new Set(Object.keys(item).map((name) => name.toLowerCase()));
  const kept = Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase()));
  return Object.fromEntries([...kept, ...Object.entries(item)]);
}

function overlayOrItem(defaults: unknown, item: unknown): unknown {
  if (isMembers(defaults) && isMembers(item)) return overlay(defaults, item, []);
  return item === undefined ? defaults : item;
}

/** The item's members replace the defaults'; one of `exclusive` in the item replaces all of them. */
function overlay(defaults: Members, item: Members, exclusive: readonly string[]): Members {
  const replaces = exclusive.some((name) => item[name] !== undefined);
  const kept = Object.entries(defaults).filter(([name]) => !(replaces && exclusive.includes(name)));
  return Object.fromEntries([...kept, ...Object.entries(item)]);
}

function withNested(merged: Members, nested: Members): Members {
  const given = Object.entries(nested).filter(([, value]) => value !== undefined);
  return { ...merged, ...Object.fromEntries(given) };
}

function holds(value: unknown, path: string[]): boolean {
  let inner = value;
  for (const token of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, token)) return false;
    inner = (inner as Members)[token];
  }
  return true;
}
