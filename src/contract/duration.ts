// Durations as the API spells them: `1h30m` or ISO 8601 `PT1H30M`, to milliseconds.

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Ten years, leap days included: nothing in the product may be further away. */
const LONGEST_MS = 3653 * DAY_MS;
const LONGEST_TEXT = 64;

const SHORT = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
// Weeks, months and years are left out: a month has no fixed length, and one spelling for days is enough.
const ISO = /^P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,3}))?S)?)?$/;

/** Both spellings as one pattern, for descriptions of the API. */
export const DURATION_PATTERN = `${SHORT.source.replace('^', '^(?=.)')}|${ISO.source.replace('^P', '^P(?=.)')}`;

/** The duration in milliseconds, or null if the text is not one. */
export function parseDurationMs(text: string): number | null {
  if (text.length > LONGEST_TEXT) return null;
  const parts = partsOf(text);
  if (parts === null || parts.every((part) => part === undefined)) return null;
  const [days, hours, minutes, seconds, millis] = parts.map((part) => Number(part ?? 0)) as Five<number>;
  const totalMs = days * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS + millis;
  return totalMs <= LONGEST_MS ? totalMs : null;
}

type Five<T> = [T, T, T, T, T];

function partsOf(text: string): (string | undefined)[] | null {
  const short = SHORT.exec(text);
  if (short) return short.slice(1);
  const iso = ISO.exec(text);
  if (!iso) return null;
  const [days, hours, minutes, seconds, fraction] = iso.slice(1) as Five<string | undefined>;
  return [days, hours, minutes, seconds, fraction?.padEnd(3, '0')];
}
