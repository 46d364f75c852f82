// What /docs needs comes from this server, and its policy lets nothing else in.
import express from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createApi } from '../../testing/api.ts';
import { listen, type RunningServer } from '../server.ts';
import { docsRoutes } from './docs.ts';

let server: RunningServer;
let api: ReturnType<typeof createApi>;

beforeAll(async () => {
  server = await listen(express().use(docsRoutes()), { host: '127.0.0.1', port: 0 });
  api = createApi(`http://127.0.0.1:${server.port}`);
});
afterAll(() => server.stop(1_000));

describe('/docs', () => {
  test('loads its scripts and styles from this server only', async () => {
    const { status, headers, text } = await api.get('/docs');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/html');
    const loaded = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url);
    expect(loaded.filter((url) => !url.startsWith('/') && url !== 'data:,')).toEqual([]);
    for (const url of loaded.filter((each) => each.startsWith('/'))) {
      expect((await api.get(url)).status, url).toBe(200);
    }
  });

  test('runs without inline scripts, and its policy forbids them', async () => {
    const { headers, text } = await api.get('/docs');
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)/);
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain('unsafe');
  });

  test('shows the description that /openapi.json serves', async () => {
    expect((await api.get('/docs/start.js')).text).toContain("url: '/openapi.json'");
    const described = await api.get('/openapi.json');
    expect(described.headers.get('content-type')).toContain('application/json');
    expect(described.body).toMatchObject({ openapi: '3.1.0', info: { title: 'Perdure' } });
  });
});
