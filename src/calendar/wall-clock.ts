// Cron arithmetic on a clock without a zone: wall seconds count from 1970-01-01T00:00:00 as shown on the wall.
import type { CronSpec } from './cron.ts';

const DAY_SECONDS = 86_400;
const DAY_MS = 86_400_000;

/** The first wall second of `cron` at or after `from` and before `until`. */
export function nextWallSecond(cron: CronSpec, from: number, until: number): number | null {
  const today = Math.floor(from / DAY_SECONDS);
  if (matchesDay(cron, new Date(today * DAY_MS))) {
    const time = nextTimeOfDay(cron, from - today * DAY_SECONDS);
    if (time !== null) return within(today * DAY_SECONDS + time, until);
  }
  const day = nextDay(cron, today + 1, Math.ceil(until / DAY_SECONDS));
  if (day === null) return null;
  return within(day * DAY_SECONDS + (nextTimeOfDay(cron, 0) as number), until);
}

function nextDay(cron: CronSpec, fromDay: number, untilDay: number): number | null {
  let day = fromDay;
  while (day < untilDay) {
    const date = new Date(day * DAY_MS);
    if (!cron.month.includes(date.getUTCMonth() + 1)) {
      day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / DAY_MS;
    } else if (matchesDay(cron, date)) {
      return day;
    } else {
      day += 1;
    }
  }
  return null;
}

function matchesDay(cron: CronSpec, date: Date): boolean {
  if (!cron.month.includes(date.getUTCMonth() + 1)) return false;
  const byMonth = cron.dayOfMonth.includes(date.getUTCDate());
  const byWeek = cron.dayOfWeek.includes(date.getUTCDay());
  return cron.days === 'both' ? byMonth && byWeek : byMonth || byWeek;
}

function nextTimeOfDay(cron: CronSpec, from: number): number | null {
  const fromHour = Math.floor(from / 3600);
  const fromMinute = Math.floor(from / 60) % 60;
  const fromSecond = from % 60;
  const [firstMinute, firstSecond] = [cron.minute[0] as number, cron.second[0] as number];
  for (const hour of cron.hour) {
    if (hour > fromHour) return hour * 3600 + firstMinute * 60 + firstSecond;
    if (hour < fromHour) continue;
    for (const minute of cron.minute) {
      if (minute > fromMinute) return hour * 3600 + minute * 60 + firstSecond;
      if (minute < fromMinute) continue;
      const second = cron.second.find((candidate) => candidate >= fromSecond);
      if (second !== undefined) return hour * 3600 + minute * 60 + second;
    }
  }
  return null;
}

function within(wallSecond: number, until: number): number | null {
  return wallSecond < until ? wallSecond : null;
}
