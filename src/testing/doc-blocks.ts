// Runs the code blocks of a Markdown page as a reader would, top to bottom, in one folder, against a running service.
//
// `sh` blocks go to bash, `ts` and `js` blocks to Node; a `text` or `json` block after one is what it prints, where `…`
// stands for any text. A block that is not run says why, in a comment before it: `<!-- not run: … -->`.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { runCommand } from './pack.ts';

export interface Block {
  language: string;
  /** Where the block begins in the page. */
  line: number;
  text: string;
  notRun: string | null;
}

/** The address the pages speak of. */
const DOCUMENTED = '127.0.0.1:8080';
const RUNNABLE = ['sh', 'ts', 'js'];
const OUTPUT = ['text', 'json'];

export function readBlocks(markdown: string): Block[] {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const open = /^```(\S*)/.exec(lines[at] ?? '');
    if (!open) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`the block of line ${at + 1} has no end`);
    const before =
      lines
        .slice(0, at)
        .filter((line) => line.trim() !== '')
        .at(-1) ?? '';
    const notRun = /^<!-- not run: (.+) -->$/.exec(before)?.[1] ?? null;
    blocks.push({ language: open[1] ?? '', line: at + 1, text: lines.slice(at + 1, end).join('\n'), notRun });
    at = end;
  }
  return blocks;
}

/** What to run, each with what it should print, if the page tells. Throws where a block is neither. */
export function planBlocks(blocks: Block[]): { block: Block; expected: string | null }[] {
  const plan: { block: Block; expected: string | null }[] = [];
  let runBefore = false;
  for (const block of blocks) {
    const last = plan.at(-1);
    if (block.notRun !== null) {
      runBefore = false;
    } else if (RUNNABLE.includes(block.language)) {
      plan.push({ block, expected: null });
      runBefore = true;
    } else if (OUTPUT.includes(block.language) && runBefore && last) {
      last.expected = block.text;
      runBefore = false;
    } else {
      throw new Error(`the block of line ${block.line} is neither run nor the output of one, and does not say why`);
    }
  }
  return plan;
}

export interface Surroundings {
  folder: string;
  /** `host:port` of the service. */
  address: string;
  env: Record<string, string>;
}

/** Throws when it fails or prints something else than the page says. */
export async function runBlock(block: Block, expected: string | null, where: Surroundings): Promise<void> {
  const { folder, address, env } = where;
  const text = block.text.replaceAll(DOCUMENTED, address);
  const [command, args] = block.language === 'sh' ? shell(text) : await program(block, text, folder);
  const { code, stdout, stderr } = await runCommand(command, args, { cwd: folder, env });
  if (code !== 0) throw new Error(`line ${block.line} ended with ${code}\n${stdout}${stderr}`);
  if (expected !== null && !matches(stdout, expected.replaceAll(DOCUMENTED, address))) {
    throw new Error(`line ${block.line} printed\n${stdout}\ninstead of\n${expected}`);
  }
}

/** White space counts only as a separator: pages break long lines. */
export function matches(printed: string, expected: string): boolean {
  const squeeze = (text: string) => text.replace(/\s+/g, ' ').trim();
  const pattern = squeeze(expected)
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^]*?');
  return new RegExp(`^${pattern}$`).test(squeeze(printed));
}

function shell(text: string): [string, string[]] {
  return ['bash', ['-eu', '-o', 'pipefail', '-c', text]];
}

async function program(block: Block, text: string, folder: string): Promise<[string, string[]]> {
  const { transform } = await import('esbuild');
  const { code } = await transform(text, { loader: block.language === 'ts' ? 'ts' : 'js', format: 'esm' });
  const file = join(folder, `line-${block.line}.mjs`);
  await writeFile(file, code);
  return [process.execPath, [file]];
}

export async function readPage(file: string): Promise<Block[]> {
  return readBlocks(await readFile(file, 'utf8'));
}
