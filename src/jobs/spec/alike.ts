// Jobs that differ in nothing but their URL and their body are parsed once: the first is the model of the others.
import type { HttpSpec, JobSpec } from '../../contract/job.ts';
import type { ParsedJobSpec } from './parse-job-spec.ts';
import { isMembers } from './rules.ts';

/** `spec` is the model with a URL and a body of its own; what is alike is one object in both. */
export interface ModeledSpec {
  spec: JobSpec;
  model: JobSpec;
}

export type ParsedAlike = ({ ok: true } & ModeledSpec) | Extract<ParsedJobSpec, { ok: false }>;

/** Beyond these the jobs are not alike, and to remember each would help none. */
const MAX_MODELS = 100;

export interface AlikeParserDeps {
  parse: (input: unknown) => ParsedJobSpec;
  isTarget: (url: string) => boolean;
}

export function createAlikeParser({ parse, isTarget }: AlikeParserDeps): (input: unknown) => ParsedAlike {
  const models = new Map<string, JobSpec>();
  return (input) => {
    const { alike, own } = ownOf(input);
    const known = alike === null ? undefined : models.get(alike);
    if (known && (own.url === undefined || isTarget(own.url))) {
      return { ok: true, spec: specLike(known, { ...known.http, ...own }), model: known };
    }
    const parsed = parse(input);
    if (!parsed.ok) return parsed;
    if (alike !== null && models.size < MAX_MODELS) models.set(alike, parsed.spec);
    return { ok: true, spec: parsed.spec, model: parsed.spec };
  };
}

export function specLike(model: JobSpec, { url, body }: Pick<HttpSpec, 'url' | 'body'>): JobSpec {
  return { ...model, http: { ...model.http, url, body } };
}

/** For what neither URL nor body have a part in. */
export function oncePerModel<T>(make: (model: JobSpec) => T): (model: JobSpec) => T {
  const made = new Map<JobSpec, T>();
  return (model) => {
    const value = made.get(model) ?? make(model);
    made.set(model, value);
    return value;
  };
}

/** What a job has of its own, and all else as text. Whether there is a body counts for the method, and is not its own. */
function ownOf(input: unknown): { alike: string | null; own: { url?: string; body?: unknown } } {
  if (!isMembers(input) || !isMembers(input.http)) return { alike: null, own: {} };
  const own: { url?: string; body?: unknown } = {};
  const http = { ...input.http };
  if (typeof http.url === 'string') {
    own.url = http.url;
    http.url = '';
  }
  if (http.body !== undefined && http.body !== null) {
    own.body = http.body;
    http.body = 0;
  }
  return { alike: JSON.stringify({ ...input, http }), own };
}
