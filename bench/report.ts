// From measurements to what is said of them: medians over the rounds, and ratios to the yardsticks of the same run.
import type { Measurement } from './measure.ts';
import type { Suite } from './system.ts';

export interface Row {
  suite: Suite;
  system: string;
  perSecond: number;
  p50Ms: number | null;
  p99Ms: number | null;
  /** CPU seconds a thousand jobs, by process and in all. */
  cpu: Record<string, number>;
  cpuTotal: number;
  peakMib: Record<string, number>;
  load: number;
}

export function rowsOf(measurements: Measurement[]): Row[] {
  const groups = new Map<string, Measurement[]>();
  for (const one of measurements) {
    const name = `${one.suite} ${one.system}`;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return [...groups.values()].map(rowOf);
}

function rowOf(rounds: Measurement[]): Row {
  const [first] = rounds;
  if (!first) throw new Error('nothing was measured');
  const { suite, system, count } = first;
  const times = rounds.flatMap(({ timesMs }) => timesMs).sort((a, b) => a - b);
  const at = (share: number) => (times.length > 0 ? rounded(times[Math.floor((times.length - 1) * share)] ?? 0) : null);
  const each = (value: (name: string) => number) =>
    Object.fromEntries(Object.keys(first.usage).map((name) => [name, value(name)]));
  const cpuOf = (name: string) => median(rounds.map(({ usage }) => (usage[name]?.cpuMs ?? 0) / count));
  const cpu = each((name) => rounded(cpuOf(name)));
  return {
    suite,
    system,
    perSecond: Math.round(median(rounds.map(({ ms }) => (count / ms) * 1_000))),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    cpu,
    cpuTotal: rounded(Object.values(cpu).reduce((sum, one) => sum + one, 0)),
    peakMib: each((name) => Math.max(...rounds.map(({ usage }) => usage[name]?.peakMib ?? 0))),
    load: rounded(median(rounds.map(({ load }) => load))),
  };
}

/** How Perdure stands beside each other system: above 1 is more throughput, less CPU below 1. */
export function ratiosOf(rows: Row[]) {
  return rows
    .filter(({ system }) => system === 'perdure')
    .flatMap((ours) =>
      rows
        .filter(({ suite, system }) => suite === ours.suite && system !== ours.system)
        .map((other) => ({
          suite: ours.suite,
          to: other.system,
          throughput: rounded(ours.perSecond / other.perSecond),
          cpu: rounded(ours.cpuTotal / other.cpuTotal),
          p50: ours.p50Ms !== null && other.p50Ms !== null ? rounded(ours.p50Ms / other.p50Ms) : null,
        })),
    );
}

export function tableOf(rows: Row[]): string {
  const head = ['suite', 'system', 'jobs/s', 'p50 ms', 'p99 ms', 'CPU s/1,000', 'by process', 'peak MiB', 'load'];
  const lines = rows.map((row) => [
    row.suite,
    row.system,
    String(row.perSecond),
    String(row.p50Ms ?? ''),
    String(row.p99Ms ?? ''),
    String(row.cpuTotal),
    listed(row.cpu),
    listed(row.peakMib),
    String(row.load),
  ]);
  return markdown([head, ...lines]);
}

export function ratioTableOf(rows: Row[]): string {
  const head = ['suite', 'perdure to', 'throughput', 'CPU', 'p50'];
  const lines = ratiosOf(rows).map(({ suite, to, throughput, cpu, p50 }) => [
    suite,
    to,
    `${throughput} ×`,
    `${cpu} ×`,
    p50 === null ? '' : `${p50} ×`,
  ]);
  return markdown([head, ...lines]);
}

function markdown([head = [], ...lines]: string[][]): string {
  const widths = head.map((title, at) => Math.max(title.length, ...lines.map((line) => line[at]?.length ?? 0)));
  const row = (cells: string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [row(head), row(widths.map((width) => '-'.repeat(width))), ...lines.map(row)].join('\n');
}

function listed(values: Record<string, number>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
