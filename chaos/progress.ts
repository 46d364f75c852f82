// What is going on: a line now and then, for whoever waits an hour for the end, or wants to know where it got stuck.
import type { Phase } from './fault.ts';

export interface Progress {
  say(text: string): void;
  /** Returns what is to be told of each part of it. */
  begin(id: string): (phase: Phase, detail?: () => string) => void;
  end(id: string): void;
}

const TELL_EVERY_MS = 30_000;

export function createProgress(tell: (line: string) => void = console.log): Progress {
  const startedAt = performance.now();
  const running = new Map<string, () => string>();
  const say = (text: string) => tell(`${clock(performance.now() - startedAt)} ${text}`);
  setInterval(() => {
    if (running.size > 0) say(`… ${[...running].map(([id, where]) => `${id} ${where()}`).join(' · ')}`);
  }, TELL_EVERY_MS).unref();
  return {
    say,
    begin(id) {
      return (phase, detail) => {
        const since = performance.now();
        const where = () => `${phase} for ${clock(performance.now() - since)}`;
        running.set(id, () => (detail ? `${where()}, ${detail()}` : where()));
      };
    },
    end: (id) => void running.delete(id),
  };
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
