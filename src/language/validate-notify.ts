// Reads the notifications of a definition: who is told about which final state of a run.
import type { NotifyRule } from '../contract/job.ts';
import { FINAL_RUN_STATUSES } from './definition.ts';
import type { Reader } from './reader.ts';

const WEB_URL = /^https?:\/\/[^\s/?#]/i;
const MAIL_ADDRESS = /^[^\s@]+@[^\s@]+$/;
const MAX_RECIPIENTS = 50;

export function readNotify(value: unknown, pointer: string, reader: Reader): NotifyRule[] {
  const rules = (reader.list(value, pointer) ?? []).map((rule, index) => readRule(rule, `${pointer}/${index}`, reader));
  return rules.filter((rule) => rule !== null);
}

function readRule(value: unknown, pointer: string, reader: Reader): NotifyRule | null {
  const fields = reader.fields(value, pointer, ['on', 'webhook', 'email']);
  if (fields === null) return null;
  const on = readStates(fields['on'], `${pointer}/on`, reader);
  const { webhook, email } = fields;
  if ((webhook === undefined) === (email === undefined)) {
    reader.fault(pointer, 'must have exactly one of webhook, email');
    return null;
  }
  if (webhook !== undefined) return readWebhook(webhook, `${pointer}/webhook`, on, reader);
  return readEmail(email, `${pointer}/email`, on, reader);
}

function readStates(value: unknown, pointer: string, reader: Reader): string[] {
  const states = reader.list(value, pointer) ?? [];
  if (Array.isArray(value) && states.length === 0) reader.fault(pointer, 'must name at least one final state');
  return states.map((state, index) => reader.oneOf(state, `${pointer}/${index}`, FINAL_RUN_STATUSES, 'failed'));
}

function readWebhook(value: unknown, pointer: string, on: string[], reader: Reader): NotifyRule | null {
  const fields = reader.fields(value, pointer, ['url', 'secret']);
  if (fields === null) return null;
  const detail = 'must be an http or https URL';
  const url = reader.text(fields['url'], `${pointer}/url`, { pattern: WEB_URL, maxLength: 2048, detail });
  const secret =
    fields['secret'] === undefined
      ? null
      : reader.text(fields['secret'], `${pointer}/secret`, { pattern: /^whsec_./, detail: 'must begin with whsec_' });
  return url === null ? null : { on, webhook: { url, secret } };
}

function readEmail(value: unknown, pointer: string, on: string[], reader: Reader): NotifyRule | null {
  const fields = reader.fields(value, pointer, ['to']);
  if (fields === null) return null;
  const to = reader.list(fields['to'], `${pointer}/to`) ?? [];
  if (to.length > MAX_RECIPIENTS || (Array.isArray(fields['to']) && to.length === 0)) {
    reader.fault(`${pointer}/to`, `must name 1 to ${MAX_RECIPIENTS} addresses`);
  }
  const detail = 'must be a mail address';
  const read = to.map((one, index) => reader.text(one, `${pointer}/to/${index}`, { pattern: MAIL_ADDRESS, detail }));
  return { on, email: { to: read.filter((address) => address !== null) } };
}
