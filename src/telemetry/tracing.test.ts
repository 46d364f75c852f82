// With a collector named, a trace leads from the submitter through the request to the call; a real collector's address, real processes.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { eventually, type Json } from '../testing/api.ts';
import { type Fleet, startFleet } from '../testing/fleet.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

let receiver: Receiver;
let fleet: Fleet;

beforeAll(async () => {
  receiver = await startReceiver();
  fleet = await startFleet({ OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/otlp` });
  await fleet.startWorker();
});
afterAll(async () => {
  await fleet?.stop();
  await receiver?.stop();
});

function spans(): Json[] {
  return receiver
    .at('/otlp/v1/traces')
    .flatMap(({ body }) => JSON.parse(body).resourceSpans as Json[])
    .flatMap(({ scopeSpans }) => scopeSpans as Json[])
    .flatMap(({ spans: of }) => of as Json[])
    .filter(({ traceId }) => traceId === TRACE);
}

test('submitter → request → call: one trace, each the child of the one before, and the target is told', async () => {
  const spec = { http: { url: `${receiver.url}/target?token=hidden` } };
  const { body: job } = await fleet.api.post('/v1/jobs', spec, { traceparent: `00-${TRACE}-b7ad6b7169203331-01` });
  await fleet.finalJobs([job.id]);
  const [request, call] = await eventually(() => {
    const found = spans();
    const server = found.find(({ kind }) => kind === 2);
    const client = found.find(({ kind }) => kind === 3);
    return server && client && ([server, client] as const);
  });
  expect(request).toMatchObject({ name: 'POST /jobs', parentSpanId: 'b7ad6b7169203331' });
  expect(call).toMatchObject({ name: 'GET', parentSpanId: request.spanId });
  expect(receiver.at('/target?token=hidden')[0]?.headers.traceparent).toBe(`00-${TRACE}-${call.spanId}-01`);
  expect(call.attributes).toContainEqual({ key: 'perdure.job.id', value: { stringValue: job.id } });
  expect(JSON.stringify(spans())).not.toContain('hidden');
});
