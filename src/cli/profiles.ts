// Services and tokens kept by `perdure login`, readable by their owner only.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { UsageError } from './exit.ts';

export interface Profile {
  url: string;
  token: string | null;
}

export interface Profiles {
  current: string | null;
  profiles: Record<string, Profile>;
}

export async function readProfiles(file: string): Promise<Profiles> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { current: null, profiles: {} };
    throw error;
  }
  const parsed = parse(content);
  if (!parsed?.profiles) throw new UsageError(`${file} is not a config file of perdure. Mend or remove it.`);
  return parsed as Profiles;
}

/** By rename, so that nobody ever reads half a file, or one with wider rights. */
export async function writeProfiles(file: string, profiles: Profiles): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(profiles, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
}

function parse(content: string): Partial<Profiles> | null {
  try {
    return JSON.parse(content) as Partial<Profiles> | null;
  } catch {
    return null;
  }
}
