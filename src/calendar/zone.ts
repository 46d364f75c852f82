// Time zones as spans of constant offset, found through Intl and remembered.
import { UNLISTED_ZONE_NAMES } from './zone-names.ts';

/** From `from` on and before `to` (epoch seconds) the zone's clock shows UTC plus `offset` seconds. */
export interface ZoneSpan {
  from: number;
  to: number;
  offset: number;
}

interface Zone {
  format: Intl.DateTimeFormat;
  spansOfChunk: Map<number, ZoneSpan[]>;
}

// Spans are kept per chunk of about 388 days; an offset that lasts is simply cut there.
const CHUNK_SECONDS = 2 ** 25;
// No zone has changed twice within a week since 2000, so a probe every three days misses nothing.
const PROBE_SECONDS = 2 ** 18;
const NAME_PATTERN = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/;
const AREA_PATTERN = /^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)\//;

// Both hold facts about time zones only: the same question has the same answer for the life of the process.
const zones = new Map<string, Zone>();
let knownNames: Map<string, string> | undefined;

/** IANA names, spelled exactly: Intl also takes `europe/paris` and `PST`, Temporal's server does not. */
export function isValidTimezone(name: string): boolean {
  if (!NAME_PATTERN.test(name)) return false;
  const known = namesByLowerCase().get(name.toLowerCase());
  if (known !== undefined && known !== name) return false;
  // A name younger than our list is fine where IANA still adds names.
  if (known === undefined && !AREA_PATTERN.test(name)) return false;
  try {
    zoneOf(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

export function offsetSecondsAt(timezone: string, epochMs: number): number {
  return spanAt(timezone, Math.floor(epochMs / 1000)).offset;
}

export function spanAt(timezone: string, second: number): ZoneSpan {
  const { format, spansOfChunk } = zoneOf(timezone);
  const chunk = Math.floor(second / CHUNK_SECONDS);
  let spans = spansOfChunk.get(chunk);
  if (!spans) {
    spans = findSpans(format, chunk * CHUNK_SECONDS);
    spansOfChunk.set(chunk, spans);
  }
  return spans.find((span) => second < span.to) as ZoneSpan;
}

function findSpans(format: Intl.DateTimeFormat, chunkStart: number): ZoneSpan[] {
  const spans: ZoneSpan[] = [];
  const chunkEnd = chunkStart + CHUNK_SECONDS;
  let from = chunkStart;
  let offset = readOffset(format, chunkStart);
  for (let probe = chunkStart; probe < chunkEnd; probe += PROBE_SECONDS) {
    const next = probe + PROBE_SECONDS;
    const nextOffset = readOffset(format, next);
    if (nextOffset === offset) continue;
    const change = findChange(format, probe, next, offset);
    // A change exactly at the chunk's end is the next chunk's beginning.
    if (change === chunkEnd) break;
    spans.push({ from, to: change, offset });
    from = change;
    offset = nextOffset;
  }
  spans.push({ from, to: chunkEnd, offset });
  return spans;
}

/** The first second in (before, after] whose offset is no longer `offset`. */
function findChange(format: Intl.DateTimeFormat, before: number, after: number, offset: number): number {
  let low = before;
  let high = after;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (readOffset(format, middle) === offset) low = middle;
    else high = middle;
  }
  return high;
}

function readOffset(format: Intl.DateTimeFormat, second: number): number {
  const match = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(format.format(second * 1000));
  if (!match) throw new Error(`Intl gave no offset for second ${second}.`);
  const [, sign, hours, minutes, seconds] = match;
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds ?? 0);
  return sign === '-' ? -size : size;
}

function zoneOf(timezone: string): Zone {
  let zone = zones.get(timezone);
  if (!zone) {
    zone = {
      format: new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' }),
      spansOfChunk: new Map(),
    };
    zones.set(timezone, zone);
  }
  return zone;
}

function namesByLowerCase(): Map<string, string> {
  knownNames ??= new Map(
    [...Intl.supportedValuesOf('timeZone'), ...UNLISTED_ZONE_NAMES].map((name) => [name.toLowerCase(), name]),
  );
  return knownNames;
}
