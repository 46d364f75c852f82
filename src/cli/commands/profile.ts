// `perdure profile`: which services are known, and which one is used.
import { defineCommand } from '../command.ts';
import { UsageError } from '../exit.ts';
import type { Io } from '../io.ts';
import { type Profiles, readProfiles, writeProfiles } from '../profiles.ts';

const list = defineCommand({
  name: 'profile list',
  summary: 'List profiles',
  async action({ io, out }) {
    const { current, profiles } = await readProfiles(io.env.configFile);
    const rows = Object.entries(profiles).map(([name, { url, token }]) => {
      return { name, url, hasToken: token !== null, current: name === current };
    });
    const columns = [
      { title: '', value: (row: (typeof rows)[number]) => (row.current ? '*' : ' ') },
      { title: 'NAME', value: (row: (typeof rows)[number]) => row.name },
      { title: 'URL', value: (row: (typeof rows)[number]) => row.url },
      { title: 'TOKEN', value: (row: (typeof rows)[number]) => (row.hasToken ? 'yes' : 'no') },
    ];
    out.table(rows, columns, 'No profiles. Make one: perdure login --url <url>');
  },
});

const use = defineCommand({
  name: 'profile use',
  args: '<name>',
  summary: 'Use a profile from now on',
  async action({ args: [name = ''], io, out }) {
    const { profiles } = await known(name, io);
    await writeProfiles(io.env.configFile, { current: name, profiles });
    out.item({ current: name }, (one) => one);
  },
});

const remove = defineCommand({
  name: 'profile remove',
  args: '<name>',
  summary: 'Forget a profile and its token',
  async action({ args: [name = ''], io, out }) {
    const { current, profiles } = await known(name, io);
    const { [name]: _removed, ...others } = profiles;
    await writeProfiles(io.env.configFile, { current: current === name ? null : current, profiles: others });
    out.item({ removed: name }, (one) => one);
  },
});

async function known(name: string, io: Io): Promise<Profiles> {
  const all = await readProfiles(io.env.configFile);
  if (!Object.hasOwn(all.profiles, name)) throw new UsageError(`There is no profile "${name}"`);
  return all;
}

export const profile = [list, use, remove];
