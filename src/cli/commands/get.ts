// `perdure get`: one job, run or batch by its id.
import { defineCommand } from '../command.ts';
import { onThing, showThing } from '../things.ts';

export const get = defineCommand({
  name: 'get',
  args: '<id>',
  summary: 'Show a job, run or batch',
  async action({ args: [id = ''], out, client }) {
    showThing(await onThing(client, id, (resource) => resource.get(id)), out);
  },
});
