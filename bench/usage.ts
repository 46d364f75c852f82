// What a group of processes has cost: CPU since they began, and the memory they hold (Linux only).
import { readdirSync, readFileSync } from 'node:fs';

const TICK_MS = 10;
const SAMPLE_EVERY_MS = 250;

/** Name → process ids; of each process all its descendants count too. */
export type Groups = Record<string, number[]>;

export interface Usage {
  cpuMs: number;
  peakMib: number;
}

interface Stat {
  pid: number;
  parent: number;
  cpuMs: number;
}

/** Starts to watch; the function it returns ends that and tells what each group has used meanwhile. */
export function watchUsage(groups: Groups): () => Record<string, Usage> {
  const before = cpuOf(groups);
  const peaks = new Map<string, number>();
  const sample = () => {
    const stats = readStats();
    for (const [name, pids] of Object.entries(groups)) {
      const mib = familyOf(pids, stats).reduce((sum, { pid }) => sum + privateMib(pid), 0);
      peaks.set(name, Math.max(peaks.get(name) ?? 0, mib));
    }
  };
  const timer = setInterval(sample, SAMPLE_EVERY_MS);
  return () => {
    clearInterval(timer);
    sample();
    const after = cpuOf(groups);
    const usage = Object.keys(groups).map((name): [string, Usage] => [
      name,
      { cpuMs: (after[name] ?? 0) - (before[name] ?? 0), peakMib: Math.round(peaks.get(name) ?? 0) },
    ]);
    return Object.fromEntries(usage);
  };
}

function cpuOf(groups: Groups): Record<string, number> {
  const stats = readStats();
  return Object.fromEntries(
    Object.entries(groups).map(([name, pids]) => [
      name,
      familyOf(pids, stats).reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    ]),
  );
}

function familyOf(pids: number[], stats: Map<number, Stat>): Stat[] {
  const wanted = new Set(pids);
  return [...stats.values()].filter(({ pid }) => {
    for (let at = stats.get(pid); at; at = stats.get(at.parent)) if (wanted.has(at.pid)) return true;
    return false;
  });
}

/** With the time of children that have ended: PostgreSQL's come and go. */
function readStats(): Map<number, Stat> {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = read(`/proc/${name}/stat`)?.split(') ')[1]?.split(' ') ?? [];
    const [parent = 0, ...ticks] = [1, 11, 12, 13, 14].map((at) => Number(fields[at]));
    const pid = Number(name);
    if (fields.length > 0) stats.set(pid, { pid, parent, cpuMs: ticks.reduce((sum, one) => sum + one, 0) * TICK_MS });
  }
  return stats;
}

/** Its share of what it has in common with others, so that PostgreSQL's buffers count once. */
function privateMib(pid: number): number {
  const [, kib] = /^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '') ?? [];
  return Number(kib ?? 0) / 1_024;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null; // It has just ended.
  }
}
