// `perdure cancel`: stops a job, run or batch.
import { defineCommand } from '../command.ts';
import { onThing, showThing } from '../things.ts';

export const cancel = defineCommand({
  name: 'cancel',
  args: '<id>',
  summary: 'Cancel a job, run or batch',
  async action({ args: [id = ''], out, client }) {
    showThing(await onThing(client, id, (resource) => resource.cancel(id)), out);
  },
});
