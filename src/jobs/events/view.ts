// How an event looks in answers, and what of it a filter sees.
import type { EventPosition, EventRow } from '../../db/events.ts';

export interface EventView {
  id: string;
  type: string;
  timestamp: string;
  data: { id: string; status: string; name: string | null; labels: Record<string, string> } & Record<string, unknown>;
}

export function eventView(event: EventRow): EventView {
  const { subject, status, createdAt } = event;
  return {
    id: eventId(event),
    type: `${subject === 'tick' ? 'schedule' : subject}.${status}`,
    timestamp: createdAt.toISOString(),
    data: dataOf(event),
  };
}

function dataOf(event: EventRow): EventView['data'] {
  const { subject, subjectId, status, name, scheduleId, batchId, parentRunId, errorCode } = event;
  const labels = event.labels ?? {};
  switch (subject) {
    case 'job':
      return { id: subjectId, status, name, labels, scheduleId, batchId, errorCode };
    case 'run':
      return { id: subjectId, status, name, labels, scheduleId, parentRunId, errorCode };
    case 'schedule':
    case 'tick': {
      // Of a tick that retention has removed its id still says which schedule it was of.
      const id = subject === 'schedule' ? subjectId : (scheduleId ?? subjectId);
      const { nominalTime, jobId, runId } = event;
      return { id, status, name: id, labels, nominalTime: nominalTime?.toISOString() ?? null, jobId, runId };
    }
    case 'batch':
    case 'worker':
      return { id: subjectId, status, name, labels };
  }
}

export function eventId({ row, place }: EventPosition): string {
  return `${row}-${place}`;
}

/** Null when it is no id of an event. */
export function parseEventId(text: string): EventPosition | null {
  const [, row, place] = /^(\d{1,15})-(\d{1,10})$/.exec(text) ?? [];
  return row === undefined ? null : { row: Number(row), place: Number(place) };
}
