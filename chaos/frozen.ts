// A copy of what was built: whoever builds anew during a run changes nothing for it.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

export interface Copy {
  root: string;
  remove(): void;
}

/** Below node_modules, so that the copy finds its packages and nothing has to be linked or installed. */
export function freeze(root: string): Copy {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const copy = mkdtempSync(join(cache, 'chaos-'));
  for (const part of ['dist', join('src', 'db', 'migrations'), 'package.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  return { root: copy, remove: () => rmSync(copy, { recursive: true, force: true }) };
}

/** Builds the program of a copy anew, with other texts for some of its files; the code of workflows stays as it is. */
export async function rebuild(root: string, copy: string, texts: Map<string, string>): Promise<void> {
  const used = new Set<string>();
  await build({
    absWorkingDir: root,
    entryPoints: { main: 'src/main.ts' },
    outdir: join(copy, 'dist'),
    bundle: true,
    splitting: true,
    platform: 'node',
    packages: 'external',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    plugins: [
      {
        name: 'other texts',
        setup: ({ onLoad }) =>
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const contents = texts.get(path);
            if (contents === undefined) return undefined;
            used.add(path);
            return { contents, loader: 'ts' };
          }),
      },
    ],
  });
  if (used.size !== texts.size) throw new Error(`not part of the program: ${[...texts.keys()].join(', ')}`);
}
