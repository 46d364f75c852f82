// CPU of everything that belongs to this test run: the worker, PostgreSQL, Temporal (Linux only).
import { readdirSync, readFileSync } from 'node:fs';

const TICK_MS = 10;

/** Of the parent of this process and all below it, in milliseconds since they began. */
export function cpuOfStackMs(): number {
  const processes = new Map(readdirSync('/proc').flatMap((pid) => (/^\d+$/.test(pid) ? statOf(pid) : [])));
  const isOurs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = processes.get(at)?.parent) {
      if (at === process.ppid) return true;
    }
    return false;
  };
  let ticks = 0;
  for (const [pid, { ticks: own }] of processes) if (isOurs(pid)) ticks += own;
  return ticks * TICK_MS;
}

function statOf(pid: string): [number, { parent: number; ticks: number }][] {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return [[Number(pid), { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }]];
  } catch {
    return []; // It has just ended.
  }
}
