// The verdict as a table on the console, as Markdown and as JSON.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

import type { Result } from './fault.ts';

const COLUMNS: [string, (result: Result) => string | number][] = [
  ['fault', ({ id }) => id],
  ['jobs', ({ findings }) => findings.submitted],
  ['acked', ({ findings }) => findings.acked],
  ['lost', ({ findings }) => findings.lost.length],
  ['unexp', ({ findings }) => findings.unexpected.length],
  ['dup jobs', ({ findings }) => findings.dupJobs.length],
  ['resent ALO', ({ findings }) => findings.dupSends.atLeastOnce],
  ['resent AMO', ({ findings }) => findings.dupSends.atMostOnce],
  ['keys', ({ findings }) => findings.keyInstability.length],
  ['wrong end', ({ findings }) => findings.wrongTerminal.length],
  ['DLQ -/+', ({ findings }) => `${findings.dlqMissing.length}/${findings.dlqDouble.length}`],
  ['stuck', ({ findings }) => findings.stuck.length],
  ['unknown', ({ findings }) => findings.unknown],
  ['recovered', ({ findings }) => findings.recovered],
  ['rec. p50/p99 ms', ({ findings: { recoveryMs: ms } }) => (ms ? `${ms.p50}/${ms.p99}` : '-')],
  ['slowest call ms', ({ findings }) => findings.slowestCallMs],
  ['s', ({ seconds }) => seconds],
  ['valid', ({ isValid }) => (isValid ? 'yes' : 'NO')],
];

const SHOWN_EXAMPLES = 5;

export interface Report {
  command: string;
  seed: number;
  startedAt: string;
  machine: { cpus: number; model: string | undefined; memoryGiB: number; node: string };
  results: Result[];
  /** What this machine cannot try: neither valid nor not. */
  notRun: { id: string; title: string; whyNot: string }[];
  /** Begun and not judged, because the suite itself failed or time was up. */
  broken: { id: string; title: string; why: string }[];
  /** Null while there is more to come. */
  endedAt: string | null;
}

export function machine(): Report['machine'] {
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return { cpus: cpus().length, model: cpus()[0]?.model, memoryGiB, node: process.version };
}

export function tableOf(results: Result[]): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...results.map((result) => COLUMNS.map(([, of]) => String(of(result)))),
  ];
  const widths = COLUMNS.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`);
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

/** What speaks against each fault that is not valid, with a few examples. */
export function complaintsOf(results: Result[]): string {
  return results
    .flatMap(({ id, violations }) =>
      Object.entries(violations)
        .filter(([, found]) => found.length > 0)
        .map(([name, found]) => {
          const more = found.length > SHOWN_EXAMPLES ? ` and ${found.length - SHOWN_EXAMPLES} more` : '';
          return `- ${id} ${name}: ${found.slice(0, SHOWN_EXAMPLES).join(' · ')}${more}`;
        }),
    )
    .join('\n');
}

export function brokenOf({ broken }: Report): string {
  return broken.map(({ id, title, why }) => `- ${id} was BROKEN OFF (${why}): ${title}`).join('\n');
}

/** By their numbers; crash points come last. */
function orderOf({ id }: Result): number {
  return id.startsWith('F') ? Number(id.slice(1)) : Infinity;
}

export function writeReport(folder: string, report: Report): void {
  const { notRun, broken, machine: on, seed, startedAt, endedAt, command } = report;
  const results = report.results.toSorted((a, b) => orderOf(a) - orderOf(b));
  mkdirSync(folder, { recursive: true });
  write(folder, 'report.json', `${JSON.stringify({ ...report, results }, null, 2)}\n`);
  const figures = results.map(({ id, title, phases, figures: own }) => {
    const took = Object.entries(phases).map(([name, seconds]) => `${name} ${seconds} s`);
    const text = [...Object.entries(own).map(([name, value]) => `${name} ${value}`), ...took];
    return `- ${id}: ${title}${text.length > 0 ? ` (${text.join(', ')})` : ''}`;
  });
  const parts = [
    '# Chaos report',
    `\`${command}\`, seed ${seed}, ${startedAt} to ${endedAt ?? '… (not all of it)'}, ${on.cpus} × ${on.model}, ${on.memoryGiB} GiB, Node ${on.node}.`,
    tableOf(results),
    figures.join('\n'),
    ...(notRun.length > 0
      ? [notRun.map(({ id, title, whyNot }) => `- ${id} was not run (${whyNot}): ${title}`).join('\n')]
      : []),
    ...(broken.length > 0 ? [brokenOf(report)] : []),
    complaintsOf(results) || 'Nothing was found.',
  ];
  write(folder, 'report.md', `${parts.join('\n\n')}\n`);
}

/** Whole or not at all, also when the run ends in the middle of it. */
function write(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, `${name}.new`), text);
  renameSync(join(folder, `${name}.new`), join(folder, name));
}
