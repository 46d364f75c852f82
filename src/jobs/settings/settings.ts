// The settings that hold now: what operators have chosen, over the environment; the same in every process within seconds.
import type { Database } from '../../db/pool.ts';
import { lockSettings, readSettings, type SettingsRow, writeSettings } from '../../db/settings.ts';
import type { Logger } from '../../telemetry/log.ts';
import { mergePatch } from '../spec/merge.ts';
import { type ChosenSettings, type Effective, effective, type SettingValues } from './values.ts';

const LOOK_EVERY_MS = 2_000;

export interface Environment {
  values: SettingValues;
  /** Which of them the environment names; the others are defaults. */
  given: ReadonlySet<string>;
}

export interface Settings {
  current(): Effective;
  /** Calls `listener` whenever anything has changed, from wherever. */
  onChange(listener: (now: Effective) => void): void;
  view(): Promise<SettingsView>;
  /** `patch` has been checked. */
  change(patch: unknown): Promise<SettingsView>;
  /** Reads what is stored; false when it could not be read. */
  load(): Promise<boolean>;
  stop(): void;
}

type Source = 'default' | 'environment' | 'setting';

export interface SettingsView extends SettingValues {
  sources: Record<Exclude<keyof SettingValues, 'httpLimits'>, Source> & {
    httpLimits: Record<keyof SettingValues['httpLimits'], Source>;
  };
  updatedAt: string | null;
}

export function createSettings(deps: { db: Database; environment: Environment; log: Logger }): Settings {
  const { db, environment, log } = deps;
  const listeners: ((now: Effective) => void)[] = [];
  let now = effective(environment.values, {});
  let seen = '';

  const apply = ({ chosen, updatedAt }: SettingsRow<ChosenSettings>) => {
    const text = JSON.stringify([chosen, updatedAt]);
    if (text === seen) return;
    // What another version of Perdure stored may be nothing that this one can use: then the old holds.
    now = effective(environment.values, chosen);
    seen = text;
    for (const listener of listeners) listener(now);
  };

  const load = async (): Promise<boolean> => {
    try {
      apply(await readSettings<ChosenSettings>(db));
      return true;
    } catch (error) {
      log.warn({ err: error }, 'settings not read: those before hold');
      return false;
    }
  };

  const timer = setInterval(() => void load(), LOOK_EVERY_MS);
  timer.unref();

  return {
    current: () => now,
    onChange(listener) {
      listeners.push(listener);
      listener(now);
    },
    view: async () => view(environment, await readSettings<ChosenSettings>(db)),
    async change(patch) {
      const row = await db.transaction(async (tx) => {
        const { chosen } = await lockSettings<ChosenSettings>(tx);
        return writeSettings(tx, withoutEmpty(mergePatch(chosen, patch) as ChosenSettings));
      });
      apply(row);
      return view(environment, row);
    },
    load,
    stop: () => clearInterval(timer),
  };
}

function withoutEmpty({ httpLimits, ...chosen }: ChosenSettings): ChosenSettings {
  return httpLimits && Object.keys(httpLimits).length > 0 ? { ...chosen, httpLimits } : chosen;
}

function view({ values, given }: Environment, { chosen, updatedAt }: SettingsRow<ChosenSettings>): SettingsView {
  const { concurrency, logLevel, egress, retention, httpLimits } = effective(values, chosen);
  const source = (name: Exclude<keyof SettingValues, 'httpLimits'>): Source =>
    name in chosen ? 'setting' : given.has(name) ? 'environment' : 'default';
  const limitSource = (name: keyof SettingValues['httpLimits']): Source =>
    name in (chosen.httpLimits ?? {}) ? 'setting' : 'default';
  return {
    ...{ concurrency, logLevel, egress, retention, httpLimits },
    sources: {
      concurrency: source('concurrency'),
      logLevel: source('logLevel'),
      egress: source('egress'),
      retention: source('retention'),
      httpLimits: { maxResponseBytes: limitSource('maxResponseBytes'), maxTimeout: limitSource('maxTimeout') },
    },
    updatedAt: updatedAt?.toISOString() ?? null,
  };
}
