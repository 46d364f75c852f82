// The only place of the command line that reads the environment.
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface CliEnv {
  url: string | null;
  token: string | null;
  profile: string | null;
  noColor: boolean;
  configFile: string;
  /** Whether the service's own database is at hand. */
  hasDatabase: boolean;
}

export function readEnv(env: NodeJS.ProcessEnv = process.env): CliEnv {
  const folder = env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return {
    url: env['PERDURE_URL'] || null,
    token: env['PERDURE_TOKEN'] || null,
    profile: env['PERDURE_PROFILE'] || null,
    noColor: Boolean(env['NO_COLOR']),
    configFile: join(folder, 'perdure', 'config.json'),
    hasDatabase: Boolean(env['DATABASE_URL']),
  };
}
