// Restate: its server from npm, one service with one durable step, single posts to its ingress.
// Its SDK needs what Node 20 has not.
import './with-resolvers.mjs';

import { createRequire } from 'node:module';

import * as restate from '@restatedev/restate-sdk';
import { request } from 'undici';

import { call, ended, serve } from './serve.mjs';
import { freePort, makeFolder, startServer } from './server.mjs';

const [service, ingress, admin, node] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
const calls = restate.service({
  name: 'calls',
  handlers: {
    async one(context, n) {
      await context.run('call', () => call(n));
      ended();
    },
  },
});
await restate.serve({ services: [calls], port: service });
// The binary itself and not its wrapper, which would leave it behind when it is ended.
const folder = `@restatedev/restate-server-${process.platform}-${process.arch}`;
const binary = createRequire(import.meta.url).resolve(`${folder}/bin/restate-server`);
await startServer(binary, [], {
  environment: {
    RESTATE_BASE_DIR: makeFolder(),
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
    RESTATE_LOG_FILTER: 'error',
    RESTATE_DISABLE_TELEMETRY: 'true',
  },
  isReady: async () => (await request(`http://127.0.0.1:${admin}/health`)).statusCode === 200,
});
const post = async (url, body) => {
  const { statusCode, body: answer } = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (statusCode >= 300) throw new Error(`${url} answered ${statusCode}: ${text}`);
};
await post(`http://127.0.0.1:${admin}/deployments`, { uri: `http://127.0.0.1:${service}` });

serve({ submit: (n) => post(`http://127.0.0.1:${ingress}/calls/one/send`, n), usesPostgres: false });
