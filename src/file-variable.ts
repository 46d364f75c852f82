// A secret from a variable, or from the file that `<variable>_FILE` names, as orchestrators mount them.
import { readFileSync } from 'node:fs';

export class VariableError extends Error {
  override name = 'VariableError';
}

/** Throws a VariableError that names the variable and never the value. White space at the end of a file is not part of it. */
export function valueOrFile(environment: Record<string, unknown>, name: string): string | null {
  const [value, path] = [environment[name], environment[`${name}_FILE`]];
  if (typeof path !== 'string') return typeof value === 'string' ? value : null;
  if (typeof value === 'string') throw new VariableError(`${name}: give it or ${name}_FILE, not both`);
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    throw new VariableError(`${name}_FILE: ${(error as Error).message}`);
  }
}
