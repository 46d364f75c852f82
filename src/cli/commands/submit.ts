// `perdure submit`: one job, from flags like those of curl or from a file.
import { isFinal, type JobInput } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../exit.ts';
import { httpOptions, readHttpFlags } from '../http-flags.ts';
import { parseCount, parseLabels, readJsonFile, waitFlags } from '../input.ts';
import { reportOutcome, showThing } from '../things.ts';

export const submit = defineCommand({
  name: 'submit',
  args: '[URL]',
  summary: 'Submit a job: a call to URL, kept and retried until it succeeds or gives up',
  options: {
    ...httpOptions,
    file: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      about: 'a job as JSON (- for standard input); flags lie over it',
    },
    key: { type: 'string', value: 'KEY', about: 'Idempotency-Key: submitting again with it makes no second job' },
    name: { type: 'string', value: 'NAME', about: 'a name to find it by' },
    label: { type: 'string', multiple: true, value: 'NAME:VALUE', about: 'a label; may be repeated' },
    delay: { type: 'string', value: '5s', about: 'run after this time' },
    at: { type: 'string', value: 'TIME', about: 'run at this time, such as 2026-12-01T12:00:00Z' },
    deadline: { type: 'string', value: '1h', about: 'give up after this time' },
    priority: { type: 'string', value: '1-5', about: '1 goes first' },
    'max-attempts': { type: 'string', value: 'N', about: 'how often it is tried' },
    'at-most-once': { type: 'boolean', about: 'never send twice, even if nobody knows whether it arrived' },
    'depends-on': { type: 'string', multiple: true, value: 'JOB', about: 'run after this job; may be repeated' },
    wait: { type: 'boolean', about: 'wait until it is final; exit 1 if it did not succeed' },
    limit: { type: 'string', value: '5m', about: 'wait at most so long' },
  },
  examples: [
    `perdure submit https://api.example.com/charge -d '{"order":42}' --key order-42 --wait`,
    'perdure submit https://api.example.com/ping --delay 5m --name ping',
    'perdure submit --file job.json',
  ],
  async action({ values, args: [url], io, out, client }) {
    const base = values.file === undefined ? {} : await readJsonFile<Partial<JobInput>>(values.file, io);
    const http = { ...base.http, ...(await readHttpFlags(url, values, io)) };
    if (http.url === undefined) throw new UsageError('Say what to call: a URL, or --file with one in it');
    const maxAttempts = parseCount(values['max-attempts'], '--max-attempts');
    const fields = {
      name: values.name,
      labels: parseLabels(values.label),
      delay: values.delay,
      runAt: values.at,
      deadline: values.deadline,
      priority: parseCount(values.priority, '--priority'),
      delivery: values['at-most-once'] ? 'atMostOnce' : undefined,
      dependsOn: values['depends-on'],
      retry: maxAttempts === undefined ? undefined : { ...base.retry, maxAttempts },
    };
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const wait = waitFlags(values);
    // The service checks the fields; from a file anything may come.
    const job = await client.jobs.submit({ ...base, ...given, http } as JobInput, {
      idempotencyKey: values.key,
      ...wait,
    });
    if (wait.wait) return reportOutcome(job, out, isFinal(job));
    showThing(job, out);
    if (!out.json) out.note(`Wait for it: perdure wait ${job.id}`);
  },
});
