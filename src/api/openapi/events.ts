// /v1/events in the API description.
import { z } from 'zod';

import { EVENT_TYPES } from '../../contract/event.ts';
import { filter, LABEL } from './components.ts';
import { operation, type Resource } from './document.ts';
import { id, instant, labels } from './schemas.ts';

const TAG = 'Events';
const EVENT_ID = { type: 'string', pattern: '^\\d{1,15}-\\d{1,10}$' };

const eventSchema = z.strictObject({
  id: z.string().meta({ description: 'Where a later stream may go on; later events have later ids.' }),
  type: z.string().meta({ description: '`<job|run|batch|schedule|worker>.<status>`', examples: [...EVENT_TYPES] }),
  timestamp: instant,
  data: z
    .looseObject({ id, status: z.string(), name: z.string().nullable(), labels })
    .meta({ description: 'A summary: what belongs to the kind of thing beside this, such as `errorCode` of a job.' }),
});

const stream = [
  'id: 4711-1',
  'event: job.succeeded',
  'data: {"id":"4711-1","type":"job.succeeded","timestamp":"2026-12-01T12:00:00.000Z","data":{"id":"job_01994f3e7c1a7b529d0e3f6a1c2b4d5e","status":"succeeded","name":"charge-order","labels":{"team":"billing"},"scheduleId":null,"batchId":null,"errorCode":null}}',
  '',
  '',
].join('\n');

export const events: Resource = {
  tag: { name: TAG, description: 'What happens, as it happens.' },
  outputs: { Event: eventSchema },
  paths: {
    '/v1/events': {
      get: operation(TAG, {
        id: 'followEvents',
        summary: 'Follow events as server-sent events',
        description:
          'Each `data` is an `Event`. The stream has no end of its own: it is broken off after an hour at the latest, ' +
          'when the service ends, and when its reader takes nothing for 30 s. Whoever comes back with `Last-Event-ID` ' +
          'misses nothing; a comment every 15 s shows that it lives. Events that were removed since are a 410.',
        parameters: [
          filter('type', 'By type; `job.*` is all that happens to jobs.', undefined, 'job.failed'),
          filter('jobId', 'What happens to this job.'),
          filter('runId', 'What happens to this run.'),
          filter(
            'name',
            'By the name of the thing, the workflow of a run, the id of a schedule.',
            undefined,
            'charge-order',
          ),
          LABEL,
          {
            name: 'lastEventId',
            in: 'query',
            description: 'Where the header cannot be set; the header counts for more.',
            schema: EVENT_ID,
          },
          {
            name: 'Last-Event-ID',
            in: 'header',
            description: 'Go on after this event; without it, with what happens from now on.',
            schema: EVENT_ID,
          },
        ],
        answers: { 200: { description: 'The stream.', mediaType: 'text/event-stream', example: stream } },
        problems: ['eventsGone'],
      }),
    },
  },
};
