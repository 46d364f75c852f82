// What all examples share: the client, and a small HTTP service on loopback as the target of their calls.
import { createServer } from 'node:http';

import { Perdure } from 'perdure/client';

export const perdure = new Perdure({ baseUrl: process.env.PERDURE_URL ?? 'http://127.0.0.1:8080' });

/** Routes answer a JSON value, or `{ status, body }`; `body` is parsed, `raw` is as it came. */
export async function startService(routes) {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = Buffer.concat(chunks);
    const { pathname } = new URL(request.url, 'http://service');
    const route = routes[pathname] ?? (() => ({ status: 404 }));
    const body = raw.length > 0 ? JSON.parse(raw.toString()) : null;
    const answer = await route({ body, raw, headers: request.headers });
    const { status = 200, body: json = answer } = answer?.status ? { body: null, ...answer } : {};
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json ?? null));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Asks until the answer is truthy. */
export async function until(ask) {
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
