// `npm run chaos:sensitivity`: breaks the product on purpose, in a copy, and requires that the suite finds each break.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import type { Report } from './report.ts';

interface Break {
  name: string;
  /** Each text must occur exactly once: a break that no longer applies is an error, not a pass. */
  edits: { file: string; from: string; to: string }[];
  fault: string;
  /** What has to be found by it: one of these. */
  finds: string[];
}

const OPEN = "status in ('scheduled', 'queued', 'retrying')";

const BREAKS: Break[] = [
  {
    name: 'a job that runs may be taken again',
    edits: [
      { file: 'src/db/attempts.ts', from: OPEN, to: 'true' },
      { file: 'src/db/open-many.ts', from: OPEN, to: 'true' },
    ],
    fault: 'F2',
    finds: ['tooManySends'],
  },
  {
    name: 'the relay starts nothing',
    edits: [
      { file: 'src/workers/compare.ts', from: 'const exists = await starter.start(job);', to: 'const exists = true;' },
    ],
    fault: 'F11',
    finds: ['stuck', 'lost', 'wrongTerminal'],
  },
  {
    name: 'a retry has another key',
    edits: [
      {
        file: 'src/activities/outgoing.ts',
        from: "'idempotency-key': job.outboundKey",
        to: "'idempotency-key': `${job.outboundKey}-${job.attempts}`",
      },
    ],
    fault: 'F17',
    finds: ['keyInstability'],
  },
];

const COPIED = ['src', 'chaos', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json'];

process.exit(main(process.argv.slice(2)));

function main(names: string[]): number {
  const root = resolve('.');
  const broken = BREAKS.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)));
  const missed = broken.filter((one) => !isFound(root, one));
  for (const { name } of missed) console.log(`NOT FOUND: ${name}`);
  if (missed.length === 0) console.log(`All ${broken.length} breaks were found.`);
  return missed.length === 0 ? 0 : 1;
}

function isFound(root: string, { name, edits, fault, finds }: Break): boolean {
  const copy = mkdtempSync(join(tmpdir(), 'perdure-broken-'));
  try {
    for (const part of COPIED) cpSync(join(root, part), join(copy, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    for (const { file, from, to } of edits) {
      const text = readFileSync(join(copy, file), 'utf8');
      if (text.split(from).length !== 2) throw new Error(`${file}: the break "${name}" does not apply any more`);
      writeFileSync(
        join(copy, file),
        text.replace(from, () => to),
      );
    }
    run(copy, ['scripts/build.mjs'], [0]);
    console.log(`Broken: ${name}. Trying ${fault} …`);
    run(copy, ['scripts/run.mjs', 'chaos/main.ts', '--short', '--seed', '1', '--only', fault], [0, 1]);
    const report = JSON.parse(readFileSync(join(copy, 'chaos-report', 'report.json'), 'utf8')) as Report;
    const found = report.results.flatMap(({ violations }) => finds.filter((what) => violations[what]?.length));
    console.log(`${name}: ${found.join(', ') || 'nothing'} found`);
    return found.length > 0;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function run(cwd: string, args: string[], expected: number[]): void {
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: 'inherit' });
  if (status === null || !expected.includes(status)) throw new Error(`${args.join(' ')} ended with ${status}`);
}
