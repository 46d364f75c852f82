// The query of the event stream: filters, each a list of values of which one must hold.
import { EVENT_STATUSES, EVENT_TYPES } from '../../contract/event.ts';
import type { EventPosition } from '../../db/events.ts';
import { type EventView, parseEventId } from '../../jobs/events/view.ts';
import type { Parsed } from '../../jobs/spec/faults.ts';
import { type FilterRules, parseFilters } from './list-query.ts';

/** `job.*` for everything that happens to jobs. */
const TYPES = [...EVENT_TYPES, ...Object.keys(EVENT_STATUSES).map((subject) => `${subject}.*`)];

const LAST_EVENT_ID = 'lastEventId';

const RULES: FilterRules = {
  type: { values: TYPES },
  jobId: {},
  runId: {},
  name: {},
  label: {},
  [LAST_EVENT_ID]: { repeatable: false, check: faultOfEventId },
};

export interface EventQuery {
  after: EventPosition | null;
  matches: (event: EventView) => boolean;
}

/** The header counts for more: a browser that comes back sends it with the address it began with. */
export function parseEventQuery(query: URLSearchParams, lastEventId: string | undefined): Parsed<EventQuery> {
  const parsed = parseFilters(query, RULES);
  const headerFault = lastEventId === undefined ? null : faultOfEventId(lastEventId);
  if (headerFault) return { ok: false, faults: [{ pointer: '/headers/last-event-id', detail: headerFault }] };
  if (!parsed.ok) return parsed;
  const { [LAST_EVENT_ID]: given, ...filters } = parsed.filters;
  const after = parseEventId(lastEventId ?? given?.[0] ?? '');
  return { ok: true, value: { after, matches: createMatch(filters) } };
}

function createMatch(filters: Record<string, string[]>): EventQuery['matches'] {
  const tests = Object.entries(filters).map(([name, values]) => TESTS[name as keyof typeof TESTS](values));
  return (event) => tests.every((test) => test(event));
}

const TESTS = {
  type: (values: string[]) => (event: EventView) =>
    values.includes(event.type) || values.includes(event.type.replace(/\..*/, '.*')),
  jobId: (values: string[]) => thingIn('job', values),
  runId: (values: string[]) => thingIn('run', values),
  name: (values: string[]) => (event: EventView) => event.data.name !== null && values.includes(event.data.name),
  label: (values: string[]) => {
    const wanted = values.flatMap((json) => Object.entries(JSON.parse(json) as Record<string, string>));
    return ({ data }: EventView) => wanted.some(([key, value]) => data.labels[key] === value);
  },
};

/** What happened to it, or to the nominal time that it is the run of. */
function thingIn(subject: 'job' | 'run', ids: string[]) {
  return ({ type, data }: EventView) => {
    const id = type.startsWith(`${subject}.`) ? data.id : data[`${subject}Id`];
    return typeof id === 'string' && ids.includes(id);
  };
}

function faultOfEventId(text: string): string | null {
  return parseEventId(text) ? null : 'Not the id of an event.';
}
