// Sends what the outbox holds: signed webhooks and mails, retried on a schedule of their own, never touching the job.
import { createTransport, type Transporter } from 'nodemailer';
import { Webhook } from 'standardwebhooks';

import { currentMs, currentTime } from '../clock.ts';
import { findBatchOfAnyTenant } from '../db/batches.ts';
import { findJobOfAnyTenant } from '../db/jobs.ts';
import { markDelivered, markNotDelivered, type NotificationRow, takeDueNotifications } from '../db/notifications.ts';
import type { Database } from '../db/pool.ts';
import { findRunOfAnyTenant } from '../db/runs.ts';
import { reach } from '../failpoint.ts';
import { batchView } from '../jobs/batches/view.ts';
import type { Bell } from '../jobs/bell.ts';
import type { HttpSender } from '../jobs/http/send.ts';
import { runViews } from '../jobs/runs/view.ts';
import { isSealed, type Sealer } from '../jobs/secrets/sealer.ts';
import { jobView, type ViewOptions } from '../jobs/view.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { version } from '../version.ts';
import { repeat } from './repeat.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const RETRY_AFTER_MS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR];
const BATCH = 20;
const TIMEOUT_MS = 10_000;

interface NotifierDeps {
  db: Database;
  sender: HttpSender;
  bell: Bell;
  metrics: Metrics;
  log: Logger;
  view: ViewOptions;
  sealer: Sealer;
  smtpUrl: string | undefined;
  mailFrom: string;
  /** Then it is for other workers, or for later. */
  isPaused: () => boolean;
}

type Delivery = 'delivered' | 'gone' | { failed: string };

export function createNotifier(deps: NotifierDeps): { stop(): Promise<void> } {
  const { db, bell, metrics, log } = deps;
  const mailer = deps.smtpUrl ? createTransport(deps.smtpUrl, { from: deps.mailFrom }) : null;

  const deliver = async (notification: NotificationRow): Promise<void> => {
    const { id, rule, attempts } = notification;
    const kind = 'webhook' in rule ? 'webhook' : 'email';
    reach('notify.taken');
    const delivery = await send(deps, mailer, notification).catch((error: unknown) => ({ failed: String(error) }));
    reach('notify.sent');
    const again = retryAt(attempts);
    if (delivery === 'delivered') await markDelivered(db, id);
    else if (delivery === 'gone') await markNotDelivered(db, id, 'the endpoint answered 410', null);
    else await markNotDelivered(db, id, delivery.failed, again);
    const outcome = typeof delivery === 'string' ? delivery : again ? 'failed' : 'givenUp';
    metrics.notifications.inc({ kind, outcome });
    if (outcome !== 'delivered') {
      log.warn({ notification: id, outcome, delivery, attempts }, 'notification not delivered');
    }
  };

  const loop = repeat(
    1_000,
    async () => {
      if (deps.isPaused()) return false;
      const due = await takeDueNotifications(db, BATCH);
      await Promise.all(due.map(deliver));
      return due.length === BATCH;
    },
    (error) => log.warn({ err: error }, 'notifications'),
  );
  const silence = bell.on('notifications', loop.nudge);
  return {
    async stop() {
      silence();
      await loop.stop();
      mailer?.close();
    },
  };
}

function retryAt(attempts: number): Date | null {
  const afterMs = RETRY_AFTER_MS[attempts - 1];
  return afterMs === undefined ? null : new Date(currentMs() + afterMs);
}

async function send(deps: NotifierDeps, mailer: Transporter | null, notification: NotificationRow): Promise<Delivery> {
  const { subjectId, event: type, rule } = notification;
  const subject = await findSubject(deps, notification);
  if (!subject) return { failed: `${subjectId} is not there any more` };
  const { data, error } = subject;
  const timestamp = data.finishedAt ?? notification.createdAt.toISOString();
  if ('webhook' in rule) {
    const { url, secret: kept } = rule.webhook;
    const secret = isSealed(kept) ? deps.sealer.open(notification.tenant, kept) : kept;
    return post(deps.sender, notification.id, { url, secret }, JSON.stringify({ type, timestamp, data }));
  }
  if (!mailer) return { failed: 'no mail server: PERDURE_SMTP_URL is not set' };
  await mailer.sendMail({
    to: rule.email.to,
    // One line, whatever the name holds.
    subject: `${data.name ?? data.id}: ${type}`.replace(/[^\x20-\x7e\u00a0-\uffff]/g, ' ').slice(0, 200),
    text: [`${type} at ${timestamp}`, `${kindOf(type)}: ${data.id}`, `Error: ${error ?? 'none'}`, data.links.self].join(
      '\n',
    ),
    messageId: `<${notification.id}@perdure>`,
  });
  return 'delivered';
}

interface Subject {
  data: { id: string; name: string | null; finishedAt: string | null; links: { self: string } };
  error: string | null;
}

async function findSubject(
  { db, view }: NotifierDeps,
  { subjectId: id, event }: NotificationRow,
): Promise<Subject | null> {
  if (event.startsWith('run.')) {
    const run = await findRunOfAnyTenant(db, id);
    const [data] = await runViews(db, run ? [run] : [], view);
    return data && run ? { data: { name: run.workflow, ...data }, error: run.error?.title ?? null } : null;
  }
  if (id.startsWith('bat_')) {
    const batch = await findBatchOfAnyTenant(db, id);
    return batch && { data: batchView(batch, view), error: null };
  }
  const job = await findJobOfAnyTenant(db, id);
  return job && { data: jobView(job, view), error: job.error?.title ?? null };
}

function kindOf(type: string): string {
  if (type.startsWith('run.')) return 'Run';
  return type.startsWith('batch.') ? 'Batch' : 'Job';
}

async function post(
  sender: HttpSender,
  id: string,
  { url, secret }: { url: string; secret: string | null },
  body: string,
): Promise<Delivery> {
  const now = currentTime();
  const headers = {
    'content-type': 'application/json',
    'user-agent': `perdure/${version}`,
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / SECOND)),
    ...(secret === null ? {} : { 'webhook-signature': new Webhook(secret).sign(id, now, body) }),
  };
  const outcome = await sender.send(
    { method: 'POST', url, headers, body, followRedirects: false },
    { timeoutMs: TIMEOUT_MS, maxBodyBytes: 1_024 },
  );
  if (outcome.kind !== 'answered') return { failed: `${outcome.code}: ${outcome.detail}` };
  if (outcome.status === 410) return 'gone';
  return outcome.status >= 200 && outcome.status < 300 ? 'delivered' : { failed: `answered ${outcome.status}` };
}
