// Nominal times as text: in UTC for ids and rows, with the zone's offset for people.
import { offsetSecondsAt } from './zone.ts';

const UTC_NAMES = new Set(['UTC', 'Etc/UTC', 'Etc/UCT', 'Etc/Universal', 'Etc/Zulu', 'UCT', 'Universal', 'Zulu']);

/** `2026-12-01T12:00:00Z`: whole seconds UTC. */
export function nominalText(ms: number): string {
  return `${wallText(ms)}Z`;
}

/** RFC 3339 with the zone's offset at that instant, as in `2026-10-25T02:30:00+02:00`. */
export function formatInZone(ms: number, timezone: string): string {
  if (UTC_NAMES.has(timezone)) return nominalText(ms);
  const offset = offsetSecondsAt(timezone, ms);
  const minutes = Math.abs(offset) / 60;
  const sign = offset < 0 ? '-' : '+';
  return `${wallText(ms + offset * 1000)}${sign}${twoDigits(minutes / 60)}:${twoDigits(minutes % 60)}`;
}

function wallText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

function twoDigits(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}
