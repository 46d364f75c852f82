// The service as a child process: it gets our signals, and we end after it.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';

import { expect, test } from 'vitest';

import type { Io } from '../io.ts';
import { tempFile } from '../testing/run-command.ts';
import { runService } from './start.ts';

const SCRIPT = `
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
const mark = (name) => writeFileSync(join(dirname(process.argv[1]), name), process.argv[2]);
process.on('SIGTERM', () => { mark('stopped'); process.exit(0); });
setInterval(() => {}, 1000);
mark('ready');
`;

test('SIGTERM is passed on, and the service has stopped when the command ends', async () => {
  const entry = await tempFile('main.mjs', SCRIPT);
  const handlers = new Map<string, () => void>();
  const sink = { write: () => true };
  const io: Io = {
    stdout: sink,
    stderr: sink,
    stdin: Readable.from([]),
    env: { url: null, token: null, profile: null, noColor: true, configFile: '/nowhere', hasDatabase: false },
    onSignal: (signal, handler) => {
      handlers.set(signal, handler);
      return () => handlers.delete(signal);
    },
  };
  const running = runService(entry, io, 'start');
  await expect.poll(() => existsSync(join(dirname(entry), 'ready')), { timeout: 10_000 }).toBe(true);
  handlers.get('SIGTERM')?.();
  expect(await running).toBe(0);
  expect(existsSync(join(dirname(entry), 'stopped'))).toBe(true);
  expect(handlers.size).toBe(0);
});
