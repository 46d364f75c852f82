// A copy of what was built: whoever builds anew during a run changes nothing for it.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Below node_modules, so that the copy finds its packages. */
export function freeze(root: string): { root: string; remove(): void } {
  const copy = mkdtempSync(join(root, 'node_modules', '.cache', 'chaos-'));
  for (const part of ['dist', join('src', 'db', 'migrations'), 'package.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  return { root: copy, remove: () => rmSync(copy, { recursive: true, force: true }) };
}
