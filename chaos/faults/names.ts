// Names that do not resolve, or only now and then, or after a while: a call whose target has no address was not made.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type NameBehaviour, startNameServer } from '../dns.ts';
import type { Fault, Scene } from '../fault.ts';
import type { Plan } from '../plan.ts';
import { withDatabase } from '../sql.ts';

const ADDRESS = '127.0.19.53';
const SLOW_MS = 5_000;
const FLAPS = 2;
const ATTEMPTS = 4;
/** Of twenty jobs; slow names are few, because each keeps one of the few threads of the system's resolver. */
const TURNS: NameBehaviour[] = [
  ...Array<NameBehaviour>(6).fill('unknown'),
  ...Array<NameBehaviour>(5).fill('failing'),
  ...Array<NameBehaviour>(5).fill('flapping'),
  ...Array<NameBehaviour>(3).fill('right'),
  'slow',
];
const DNS = /getaddrinfo|ENOTFOUND|EAI_AGAIN|EAI_/;

export const NAMES: Fault = {
  id: 'F19',
  company: 'others',
  title: `Names that do not exist, cannot be resolved, fail ${FLAPS} times first, or take ${SLOW_MS / 1_000} s`,
  jobs: { short: 100, full: 400 },
  perSecond: 10,
  mix: { chains: 0, delayed: 0, misbehaving: 0, atMostOnce: 0.5 },
  whyNot() {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root may change how names are resolved';
    return spawnSync('unshare', ['-m', 'true']).status === 0 ? null : 'no mounts of a process of its own here';
  },
  async prepare({ folder }) {
    const server = await startNameServer({ address: ADDRESS, slowMs: SLOW_MS, flaps: FLAPS });
    const file = join(folder, 'resolv.conf');
    // Two tries of five seconds would give up on the slow ones just before their answer.
    writeFileSync(file, `nameserver ${ADDRESS}\noptions timeout:8 attempts:1\n`);
    // In a view of the files that only this process has.
    const through = ['unshare', '-m', 'sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', file];
    return {
      environment: () => ({}),
      figures: () => ({ questions: server.questions() }),
      launch: (role) => (role === 'worker' ? { through } : {}),
      close: () => server.stop(),
    };
  },
  plan(plans) {
    for (const plan of plans) {
      const http = plan.body.http as { url: string };
      const url = new URL(http.url);
      url.hostname = `${behaviourOf(plan)}-${plan.tag.toLowerCase()}.chaos.test`;
      plan.body.http = { ...http, url: url.href, timeout: '30s' };
      plan.body.retry = { maxAttempts: ATTEMPTS, initialInterval: '200ms', maxInterval: '1s' };
    }
  },
  async afterwards(scene) {
    const rows = await readEnds(scene);
    for (const plan of scene.plans) judge(scene, plan, rows.get(plan.tag));
  },
  budget: () => ({ dupSends: { atLeastOnce: 0, atMostOnce: 0 }, unknown: 0, alsoEnds: ['failed'] }),
};

function behaviourOf({ tag }: Plan): NameBehaviour {
  return TURNS[Number(tag.split('-')[1]) % TURNS.length] ?? 'right';
}

interface End {
  status: string;
  attempts: number;
  outcomes: string[];
  details: string[];
  reason: string | null;
  detail: string | null;
}

function readEnds({ ground }: Scene): Promise<Map<string, End>> {
  return withDatabase(ground.databaseUrl, async (client) => {
    const { rows } = await client.query<End & { tag: string }>(
      `select jobs.labels ->> 'tag' as tag, status, jobs.attempts, letter.reason, letter.error ->> 'detail' as detail,
         array(select outcome from attempts where job_id = jobs.id order by number) as outcomes,
         array(select error ->> 'detail' from attempts where job_id = jobs.id and outcome = 'notSent') as details
       from jobs left join dead_letters letter on letter.job_id = jobs.id`,
    );
    return new Map(rows.map((row) => [row.tag, row]));
  });
}

function judge({ complain }: Scene, plan: Plan, end: End | undefined): void {
  if (!end) return;
  const behaviour = behaviourOf(plan);
  const { status, attempts, outcomes, details, reason, detail } = end;
  const isHopeless = behaviour === 'unknown' || behaviour === 'failing';
  const told = `${plan.tag} (${behaviour}): ${status} after ${attempts}: ${outcomes.join(', ')}`;
  if (status !== (isHopeless ? 'failed' : 'succeeded')) complain(told);
  const proved = isHopeless ? outcomes : outcomes.slice(0, -1);
  if (proved.some((outcome) => outcome !== 'notSent')) complain(`${told}; a call without an address was not made`);
  if (details.some((text) => !DNS.test(text))) complain(`${told}; the reason is said to be ${details.join(' · ')}`);
  if (isHopeless && (attempts !== ATTEMPTS || reason !== 'attemptsExhausted' || !DNS.test(detail ?? ''))) {
    complain(`${told}; its dead letter says ${reason}: ${detail}`);
  }
}
