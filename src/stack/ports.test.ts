// Proves that a taken port is told, not fought over.
import { createServer } from 'node:net';

import { expect, test } from 'vitest';

import { freePort, isPortFree, requirePort } from './ports.ts';

test('a taken port is refused in one line that names the port and the variable', async () => {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    expect(await isPortFree(port)).toBe(false);
    const refusal = requirePort(port, 'Temporal', 'PERDURE_TEMPORAL_PORT');
    await expect(refusal).rejects.toThrow(new RegExp(`^Port ${port} for Temporal .*PERDURE_TEMPORAL_PORT.*$`));
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  expect(await requirePort(port, 'Temporal', 'PERDURE_TEMPORAL_PORT')).toBe(port);
});
