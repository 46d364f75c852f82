// The one row of settings that were chosen at run time.
import type { Queryable } from './pool.ts';

export interface SettingsRow<Chosen> {
  chosen: Chosen;
  updatedAt: Date | null;
}

const COLUMNS = 'chosen, updated_at as "updatedAt"';

export async function readSettings<Chosen>(db: Queryable): Promise<SettingsRow<Chosen>> {
  return one(await db.query<SettingsRow<Chosen>>(`select ${COLUMNS} from settings`));
}

/** Of two that change settings at the same moment the second sees what the first did. */
export async function lockSettings<Chosen>(tx: Queryable): Promise<SettingsRow<Chosen>> {
  return one(await tx.query<SettingsRow<Chosen>>(`select ${COLUMNS} from settings for update`));
}

export async function writeSettings<Chosen>(tx: Queryable, chosen: Chosen): Promise<SettingsRow<Chosen>> {
  return one(
    await tx.query<SettingsRow<Chosen>>(
      `update settings set chosen = $1::jsonb, updated_at = now() returning ${COLUMNS}`,
      [JSON.stringify(chosen)],
    ),
  );
}

function one<Row>(rows: Row[]): Row {
  if (!rows[0]) throw new Error('the row of settings is gone');
  return rows[0];
}
