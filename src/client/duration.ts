// Reads the contract's durations where the SDK itself has to wait.
import type { Duration } from './types.ts';

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SHORT = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const ISO = /^P(?=.)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const ISO_UNITS = ['d', 'h', 'm', 's'];

export function durationMs(duration: Duration): number {
  if (SHORT.test(duration)) {
    return sum([...duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)].map(([, amount, unit]) => [amount, unit]));
  }
  const iso = ISO.exec(duration);
  if (iso) return sum(ISO_UNITS.map((unit, at) => [iso[at + 1], unit]));
  throw new TypeError(`"${duration}" is not a duration such as "30s", "5m" or "1h30m"`);
}

function sum(parts: [amount: string | undefined, unit: string | undefined][]): number {
  return parts.reduce((total, [amount = '0', unit = 'ms']) => total + Number(amount) * (UNIT_MS[unit] ?? 0), 0);
}
