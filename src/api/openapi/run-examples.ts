// One order, as a workflow and as a run of it.
export const definitionInput = {
  input: { schema: { type: 'object', required: ['orderId'] } },
  steps: [
    {
      id: 'charge',
      http: { method: 'POST', url: 'https://pay.example.com/charges', body: { order: '${ input.orderId }' } },
      compensate: {
        http: {
          method: 'POST',
          url: 'https://pay.example.com/refunds',
          body: { charge: '${ steps.charge.output.id }' },
        },
      },
    },
    { id: 'approve', dependsOn: ['charge'], waitFor: { signal: 'approval', timeout: '2d' } },
    {
      id: 'ship',
      dependsOn: ['approve'],
      if: 'steps.approve.output.approved',
      http: { method: 'POST', url: 'https://ship.example.com/parcels' },
    },
  ],
};

export const planExample = {
  valid: true,
  plan: {
    steps: [
      { id: 'charge', dependsOn: [], needsOutput: [], depth: 1 },
      { id: 'approve', dependsOn: ['charge'], needsOutput: [], depth: 2 },
      { id: 'ship', dependsOn: ['approve'], needsOutput: ['approve'], depth: 3 },
    ],
    order: ['charge', 'approve', 'ship'],
  },
};

const self = '/v1/workflows/order';
export const workflowExample = {
  name: 'order',
  version: 1,
  description: null,
  definition: definitionInput,
  createdAt: '2026-12-01T12:00:00.000Z',
  links: { self, version: `${self}/versions/1`, graph: `${self}/graph`, runs: '/v1/runs?workflow=order' },
};

const ID = 'run_01994f3ebc5e7f96b14c7daf605f8192';
const pending = {
  status: 'pending',
  attempts: 0,
  output: null,
  error: null,
  startedAt: null,
  finishedAt: null,
  items: null,
  childRunId: null,
};

export const runExample = {
  id: ID,
  workflow: 'order',
  version: 1,
  status: 'queued',
  input: { orderId: 42 },
  output: null,
  error: null,
  steps: ['charge', 'approve', 'ship'].map((id) => ({ id, ...pending })),
  labels: {},
  priority: 3,
  runAt: null,
  deadlineAt: null,
  parentRunId: null,
  parentStepId: null,
  scheduleId: null,
  redriveOf: null,
  redrivenAs: null,
  createdAt: '2026-12-01T12:00:00.000Z',
  updatedAt: '2026-12-01T12:00:00.000Z',
  startedAt: null,
  finishedAt: null,
  links: {
    self: `/v1/runs/${ID}`,
    attempts: `/v1/runs/${ID}/attempts`,
    workflow: `${self}/versions/1`,
    temporal: null,
  },
};
