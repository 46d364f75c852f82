// A progress bar on stderr, drawn on a terminal only.
import type { Io } from './io.ts';

const WIDTH = 30;

export interface Progress {
  show(done: number, total: number | null, label: string): void;
  end(): void;
}

export function createProgress({ stderr }: Io): Progress {
  let drawn = false;
  return {
    show(done, total, label) {
      if (!stderr.isTTY) return;
      drawn = true;
      stderr.write(`\r\x1b[K${total === null ? '' : `${bar(done / Math.max(1, total))} `}${label}`);
    },
    end() {
      if (drawn) stderr.write('\n');
      drawn = false;
    },
  };
}

function bar(part: number): string {
  const filled = Math.round(Math.min(1, part) * WIDTH);
  return `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${String(Math.floor(part * 100)).padStart(3)}%`;
}
