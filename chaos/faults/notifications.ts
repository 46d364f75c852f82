// Endpoints of webhooks and mails that nobody answers: they are tried as promised, and no job is any different for it.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { freePort } from '../../src/stack/ports.ts';
import { eventually } from '../../src/testing/api.ts';
import { repeat, type Repeated } from '../../src/workers/repeat.ts';
import type { Fault, Scene } from '../fault.ts';
import { count, withDatabase } from '../sql.ts';

/** After each failed attempt (docs/notifications and the contract); then it is given up. */
const WAITS_S = [5, 30, 120, 600, 3_600, 21_600, 86_400];
const ATTEMPTS = WAITS_S.length + 1;
/** So many attempts fail before the endpoint is mended. */
const HEALS_AFTER = 5;
const HANGS_EVERY = 40;
const GIVEN_UP_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 200;

/** What becomes of the notifications to each kind of endpoint: attempts, and whether one was delivered. */
const ENDS: Record<string, { attempts: number; delivered: boolean }> = {
  dead: { attempts: ATTEMPTS, delivered: false },
  closed: { attempts: ATTEMPTS, delivered: false },
  email: { attempts: ATTEMPTS, delivered: false },
  heals: { attempts: HEALS_AFTER + 1, delivered: true },
  gone: { attempts: 1, delivered: false },
};

/** One `webhook-id`, as the endpoint has seen it. */
interface Hook {
  kind: string;
  subject: string;
  type: string;
  attempts: number;
}

interface Endpoint {
  url: string;
  hooks: Map<string, Hook>;
  stop(): Promise<void>;
}

export const DEAD_ENDPOINTS: Fault = deadEndpoints();

function deadEndpoints(): Fault {
  let endpoint: Endpoint | null = null;
  let closedPort = 0;
  /** From the first job to the last notification: a wait that nobody looked at for a while seems too short. */
  let hurrying: Repeated | null = null;
  return {
    id: 'F36',
    company: 'others',
    title: `Endpoints of webhooks and mails dead: ${ATTEMPTS} attempts of each, at the promised times moved together`,
    jobs: { short: 60, full: 500 },
    async prepare() {
      const started = await startEndpoint();
      endpoint = started;
      closedPort = await freePort();
      return {
        environment: () => ({ PERDURE_SMTP_URL: `smtp://127.0.0.1:${closedPort}` }),
        figures: () => ({ webhookIds: started.hooks.size }),
        async close() {
          await hurrying?.stop();
          await started.stop();
        },
      };
    },
    plan(plans) {
      const on = ['succeeded', 'failed', 'unknown'];
      const closed = { on, webhook: { url: `http://127.0.0.1:${closedPort}/closed` } };
      const email = { on, email: { to: ['ops@example.com'] } };
      const alive = ['dead', 'heals', 'gone'].map((kind) => ({ on, webhook: { url: `${endpoint?.url}/${kind}` } }));
      const all = [closed, email, ...alive];
      // Two of them each: eight attempts of all five would be twenty thousand calls.
      const jobs = plans.filter(({ kind }) => kind === 'job');
      for (const [n, { body }] of jobs.entries()) {
        body.notify = [all[n % all.length], all[(n + 2) % all.length]];
      }
    },
    async disturb(scene) {
      hurrying = repeat(
        LOOK_EVERY_MS,
        () => hurry(scene),
        (error) => scene.complain(`notifications were not looked at: ${String(error)}`),
      );
    },
    async afterwards(scene) {
      await eventually(async () => (await pending(scene)) === 0, { timeoutMs: GIVEN_UP_WITHIN_MS }).catch(
        () => void scene.complain('notifications are neither delivered nor given up'),
      );
      await hurrying?.stop();
      await judge(scene, endpoint?.hooks ?? new Map<string, Hook>());
    },
  };
}

async function startEndpoint(): Promise<Endpoint> {
  const hooks: Endpoint['hooks'] = new Map();
  const server = createServer((request, response) => {
    void receive(hooks, request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hooks,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function receive(hooks: Endpoint['hooks'], request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const { type, data } = JSON.parse(text) as { type: string; data: { id: string } };
  const id = String(request.headers['webhook-id']);
  const kind = (request.url ?? '').slice(1);
  const hook = hooks.get(id) ?? { kind, subject: data.id, type, attempts: 0 };
  hooks.set(id, hook);
  hook.attempts += 1;
  if (kind === 'gone') return void response.writeHead(410).end();
  if (kind === 'heals' && hook.attempts > HEALS_AFTER) return void response.writeHead(204).end();
  // Some say nothing at all, once: each costs a sender all of its patience.
  if (hook.attempts === 1 && hooks.size % HANGS_EVERY === 0) return;
  if (hook.attempts % 2 === 0) return void response.socket?.resetAndDestroy();
  response.writeHead(503).end();
}

/**
 * The times between attempts add up to more than a day: each is checked, and then over. What is due in 31 to 61 seconds
 * may be under way, and is left alone.
 */
async function hurry({ ground, complain }: Scene): Promise<boolean> {
  const rows = await withDatabase(ground.databaseUrl, async (client) => {
    const moved = await client.query<{ attempts: number; waitS: number }>(
      `with waiting as (
         select id, attempts, extract(epoch from due_at - now())::float8 as wait from notifications
         where last_error is not null and due_at > now() + interval '1 second'
           and due_at not between now() + interval '31 seconds' and now() + interval '61 seconds'
         for update skip locked)
       update notifications set due_at = now() from waiting where notifications.id = waiting.id
       returning waiting.attempts, waiting.wait as "waitS"`,
    );
    return moved.rows;
  });
  for (const { attempts, waitS } of rows) {
    const promisedS = WAITS_S[attempts - 1] ?? 0;
    // We look when it is being written or a little later, and each wait is at least four times the one before.
    if (waitS > promisedS + 1 || waitS < promisedS / 5) {
      complain(`after attempt ${attempts} it waits ${Math.round(waitS)} s, not ${promisedS}`);
    }
  }
  return false;
}

function pending({ ground }: Scene): Promise<number> {
  return count(ground.databaseUrl, 'notifications where due_at is not null');
}

interface Outcome {
  id: string;
  subject: string;
  status: string;
  event: string;
  kind: string;
  attempts: number;
  delivered: boolean;
}

async function judge(scene: Scene, hooks: Endpoint['hooks']): Promise<void> {
  const { plans, complain, figures } = scene;
  const outcomes = await readOutcomes(scene);
  const expected = plans.flatMap(({ body }) => body.notify ?? []).length;
  if (outcomes.length !== expected) complain(`${outcomes.length} notifications instead of ${expected}`);
  for (const { id, subject, status, event, kind, attempts, delivered } of outcomes) {
    const end = ENDS[kind];
    const hook = hooks.get(id);
    if (!end || attempts !== end.attempts || delivered !== end.delivered) {
      complain(`${kind} ${id}: ${attempts} attempts, ${delivered ? '' : 'not '}delivered`);
    }
    if (event !== `job.${status}`) complain(`${id} tells of ${event}, ${subject} is ${status}`);
    if (kind === 'closed' || kind === 'email') continue;
    if (hook?.attempts !== attempts || hook.subject !== subject || hook.type !== event) {
      complain(`${kind} ${id}: the endpoint has seen ${JSON.stringify(hook)} of ${attempts} attempts`);
    }
  }
  const known = new Set(outcomes.map(({ id }) => id));
  for (const id of hooks.keys()) if (!known.has(id)) complain(`the endpoint has seen ${id}, which is none of ours`);
  figures.delivered = outcomes.filter(({ delivered }) => delivered).length;
  figures.givenUp = outcomes.length - figures.delivered;
}

function readOutcomes({ ground }: Scene): Promise<Outcome[]> {
  return withDatabase(ground.databaseUrl, async (client) => {
    const { rows } = await client.query<Outcome>(
      `select n.id, subject_id as subject, jobs.status, event, n.attempts, delivered_at is not null as delivered,
         coalesce(substring(rule #>> '{webhook,url}' from '[a-z]+$'), 'email') as kind
       from notifications n join jobs on jobs.id = subject_id`,
    );
    return rows;
  });
}
