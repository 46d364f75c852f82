// Ids: a prefix that says what it is, then a UUID of version 7, so that they sort by time.
import { uuidv7 } from 'uuidv7';

export type IdPrefix = 'job' | 'run' | 'bat' | 'lane' | 'dl' | 'att' | 'bulk' | 'msg' | 'key' | 'aud';

export function newId(prefix: IdPrefix): string {
  return `${prefix}_${uuidv7().replaceAll('-', '')}`;
}
