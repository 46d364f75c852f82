#!/usr/bin/env node
// The entry of the `perdure` command.
import { createProcessIo } from './io.ts';
import { runCli } from './run.ts';

// Who reads our output may stop reading, as `head` does: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), createProcessIo());
