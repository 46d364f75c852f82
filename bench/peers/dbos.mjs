// DBOS: a workflow of one step, started in the process that runs it, which is its quickest way. It has no bulk start.
import { DBOS } from '@dbos-inc/dbos-sdk';

import { call, DATABASE_URL, ended, serve } from './serve.mjs';

DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: DATABASE_URL,
  systemDatabasePoolSize: 20,
  logLevel: 'error',
  runAdminServer: false,
});
const workflow = DBOS.registerWorkflow(async (n) => DBOS.runStep(() => call(n), { name: 'call' }), { name: 'call' });
await DBOS.launch();

serve({
  async submit(n) {
    const handle = await DBOS.startWorkflow(workflow)(n);
    void handle.getResult().then(() => ended());
  },
});
