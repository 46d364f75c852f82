// `perdure wait`: until a job, run or batch is final.
import { isFinal } from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { parseDuration } from '../input.ts';
import { onThing, reportOutcome } from '../things.ts';

export const wait = defineCommand({
  name: 'wait',
  args: '<id>',
  summary: 'Wait until a job, run or batch is final; exit 1 if it did not succeed',
  options: { limit: { type: 'string', value: '5m', about: 'wait at most so long' } },
  async action({ values, args: [id = ''], out, client }) {
    if (values.limit !== undefined) parseDuration(values.limit, '--limit');
    const thing = await onThing(client, id, (resource) => resource.wait(id, { limit: values.limit }));
    return reportOutcome(thing, out, isFinal(thing));
  },
});
