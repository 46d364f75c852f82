// `perdure login`: keeps where a service is and the token for it.
import { Perdure } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { checkUrl } from '../connection.ts';
import { UsageError } from '../exit.ts';
import { readStdin } from '../io.ts';
import { readProfiles, writeProfiles } from '../profiles.ts';

export const login = defineCommand({
  name: 'login',
  args: '[name]',
  summary: 'Keep the address and token of a service as a profile and use it from now on',
  options: {
    'token-stdin': { type: 'boolean', about: 'read the token from standard input: it stays out of the history' },
  },
  examples: ['perdure login production --url https://perdure.example.com --token-stdin < token.txt'],
  async action({ values, args: [name = 'default'], io, out, connection }) {
    if (values['token-stdin'] && values.token !== undefined) {
      throw new UsageError('Give --token or --token-stdin, not both');
    }
    const token = values['token-stdin'] ? (await readStdin(io)).trim() : connection.token;
    const url = checkUrl(connection.url);
    const identity = await new Perdure({ baseUrl: url, token: token ?? undefined }).whoami();
    const { profiles } = await readProfiles(io.env.configFile);
    await writeProfiles(io.env.configFile, { current: name, profiles: { ...profiles, [name]: { url, token } } });
    out.item({ profile: name, url, ...identity }, (one) => ({ ...one, scopes: one.scopes.join(', ') }));
  },
});
