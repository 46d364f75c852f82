// Every answer carries what helmet itself would have set.
import express from 'express';
import helmet from 'helmet';
import { expect, it } from 'vitest';

import { listen } from '../server.ts';
import { createSecurityHeaders, OVER_PLAIN_HTTP } from './security-headers.ts';

it('the headers are those of helmet, on the first answer and on later ones', async () => {
  const app = express();
  app.use('/helmet', helmet(OVER_PLAIN_HTTP));
  app.use('/ours', createSecurityHeaders());
  app.use((_request, response) => void response.end());
  app.disable('x-powered-by');
  const server = await listen(app, { host: '127.0.0.1', port: 0 });
  const headersAt = async (path: string) => {
    const { headers } = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return [...headers].filter(([name]) => name !== 'date');
  };
  const expected = await headersAt('/helmet');
  expect(expected.length).toBeGreaterThan(10);
  expect(await headersAt('/ours')).toEqual(expected);
  expect(await headersAt('/ours')).toEqual(expected);
  await server.stop(1_000);
});
