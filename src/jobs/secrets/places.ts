// Where jobs, definitions and patches hold what may be secret: header values of calls, and the secrets of webhooks.
import { jsonPointer } from '../../contract/json-pointer.ts';
import { isMembers, type Members } from '../spec/rules.ts';

export type Place = { kind: 'header'; name: string; pointer: string } | { kind: 'webhookSecret'; pointer: string };
export type Visit = (value: unknown, place: Place) => unknown;

/** A job spec, a job as sent, or a patch of one. What has no such shape is left as it is. */
export function mapJob<T>(job: T, visit: Visit, base = ''): T {
  if (!isMembers(job)) return job;
  return { ...job, ...mapHttp(job, visit, base), ...mapNotify(job, visit, base) };
}

/** A workflow definition, or a patch of one. */
export function mapDefinition<T>(definition: T, visit: Visit, base = ''): T {
  if (!isMembers(definition)) return definition;
  const { steps } = definition as Members;
  return {
    ...definition,
    ...mapNotify(definition, visit, base),
    ...(Array.isArray(steps) ? { steps: steps.map((step, at) => mapStep(step, visit, `${base}/steps/${at}`)) } : {}),
  };
}

/** Rules of notification that stand alone, as those of a batch do. */
export function mapRules<T>(notify: T, visit: Visit, base = ''): T {
  const mapped = mapNotify({ notify }, visit, base);
  return 'notify' in mapped ? (mapped.notify as T) : notify;
}

function mapStep(step: unknown, visit: Visit, base: string): unknown {
  if (!isMembers(step)) return step;
  const { compensate } = step;
  return {
    ...step,
    ...mapHttp(step, visit, base),
    ...(isMembers(compensate)
      ? { compensate: { ...compensate, ...mapHttp(compensate, visit, `${base}/compensate`) } }
      : {}),
  };
}

function mapHttp({ http }: Members, visit: Visit, base: string): Members {
  if (!isMembers(http) || !isMembers(http.headers)) return {};
  const headers = Object.entries(http.headers).map(([name, value]) => [
    name,
    visit(value, { kind: 'header', name, pointer: jsonPointer(['http', 'headers', name], base) }),
  ]);
  return { http: { ...http, headers: Object.fromEntries(headers) as Members } };
}

function mapNotify({ notify }: Members, visit: Visit, base: string): Members {
  if (!Array.isArray(notify)) return {};
  const rules = notify.map((rule: unknown, at) => {
    if (!isMembers(rule) || !isMembers(rule.webhook)) return rule;
    const { webhook } = rule;
    if (webhook.secret === undefined || webhook.secret === null) return rule;
    const pointer = `${base}/notify/${at}/webhook/secret`;
    return { ...rule, webhook: { ...webhook, secret: visit(webhook.secret, { kind: 'webhookSecret', pointer }) } };
  });
  return { notify: rules };
}
