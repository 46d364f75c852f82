// What a command is: a name, flags and an action; parsing, help and failures are the same for all.
import { parseArgs } from 'node:util';

import { Perdure } from '../client/index.ts';
import { type Connection, resolveConnection } from './connection.ts';
import { EXIT, type ExitCode, UsageError } from './exit.ts';
import { explainFailure } from './failures.ts';
import { commandHelp } from './help.ts';
import type { Io } from './io.ts';
import { createOutput, type Output } from './output.ts';

export interface Option {
  type: 'string' | 'boolean';
  short?: string;
  multiple?: boolean;
  about: string;
  /** How the value is called in the help. */
  value?: string;
}

export type Options = Record<string, Option>;

type ValueOf<One extends Option> = One extends { type: 'boolean' }
  ? boolean
  : One extends { multiple: true }
    ? string[]
    : string;
export type Values<All extends Options> = { [Name in keyof All]?: ValueOf<All[Name]> };

export const globalOptions = {
  json: { type: 'boolean', about: 'print JSON' },
  url: { type: 'string', value: 'URL', about: 'where Perdure is (PERDURE_URL)' },
  token: { type: 'string', value: 'TOKEN', about: 'API key or JWT (PERDURE_TOKEN)' },
  profile: { type: 'string', value: 'NAME', about: 'a profile of `perdure login` (PERDURE_PROFILE)' },
  help: { type: 'boolean', short: 'h', about: 'show this help' },
} as const satisfies Options;

export interface Context<All extends Options> {
  values: Values<All & typeof globalOptions>;
  args: string[];
  io: Io;
  out: Output;
  connection: Connection;
  client: Perdure;
}

export interface CommandSpec<All extends Options> {
  /** One or two words. */
  name: string;
  summary: string;
  /** Such as `<id> [note]`. */
  args?: string;
  options?: All;
  examples?: string[];
  /** Nothing answered means done. */
  action: (context: Context<All>) => Promise<ExitCode | void>;
}

export interface Command {
  name: string;
  summary: string;
  args: string;
  options: Options;
  examples: string[];
  run(args: string[], io: Io): Promise<ExitCode>;
}

export function defineCommand<const All extends Options = Record<never, Option>>(spec: CommandSpec<All>): Command {
  const { name, summary, args = '', examples = [], action } = spec;
  const options: Options = { ...spec.options, ...globalOptions };
  const command: Command = { name, summary, args, options, examples, run };

  async function run(argv: string[], io: Io): Promise<ExitCode> {
    let connection: Connection = { url: 'an address yet unknown', token: null };
    try {
      const parsed = parseArgs({ args: argv, options: parseable(options), allowPositionals: true });
      const values = parsed.values as Values<All & typeof globalOptions>;
      if (parsed.values['help']) {
        io.stdout.write(commandHelp(command));
        return EXIT.done;
      }
      checkPositionals(args, parsed.positionals);
      connection = await resolveConnection(parsed.values, io);
      const client = new Perdure({ baseUrl: connection.url, token: connection.token ?? undefined });
      const out = createOutput(io, Boolean(parsed.values['json']));
      const exitCode = await action({ values, args: parsed.positionals, io, out, connection, client });
      return exitCode ?? EXIT.done;
    } catch (error) {
      return fail(error, connection.url, command, io);
    }
  }
  return command;
}

function parseable(options: Options) {
  const entries = Object.entries(options).map(([name, { type, short, multiple }]) => {
    return [name, { type, multiple: multiple ?? false, ...(short !== undefined && { short }) }] as const;
  });
  return Object.fromEntries(entries);
}

function checkPositionals(shape: string, given: string[]): void {
  const names = shape.split(' ').filter(Boolean);
  const missing = names.slice(given.length).filter((name) => name.startsWith('<'));
  if (missing.length > 0) throw new UsageError(`${missing.join(' ')} is missing`);
  if (given.length > names.length) throw new UsageError(`"${given[names.length]}" is one argument too many`);
}

function fail(error: unknown, url: string, command: Command, io: Io): ExitCode {
  const { exitCode, message, details, hint } = explainFailure(error, url);
  const next = hint ?? (exitCode === EXIT.usage ? `See: perdure ${command.name} --help` : null);
  io.stderr.write([`perdure: ${message}`, ...details.map((one) => `  ${one}`), ...(next ? [next] : []), ''].join('\n'));
  return exitCode;
}
