// Everything a command touches outside itself, so that tests can hand it something else.
import { text } from 'node:stream/consumers';

import { type CliEnv, readEnv } from './env.ts';

export interface Sink {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

export interface Io {
  stdout: Sink;
  stderr: Sink;
  env: CliEnv;
  stdin: AsyncIterable<Uint8Array> & { isTTY?: boolean };
  /** Answers a function that takes the handler off again. */
  onSignal(signal: NodeJS.Signals, handler: () => void): () => void;
}

export function createProcessIo(): Io {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: readEnv(),
    stdin: process.stdin,
    onSignal: (signal, handler) => {
      process.on(signal, handler);
      return () => process.off(signal, handler);
    },
  };
}

export function readStdin(io: Io): Promise<string> {
  return text(io.stdin as NodeJS.ReadStream);
}
