// The API described to machines (/openapi.json) and to people (/docs), with nothing loaded from anywhere else.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import express, { Router } from 'express';

import { sendText } from '../answer.ts';
import { buildOpenApi } from '../openapi/index.ts';

/** Swagger UI sets styles of single elements through the DOM, so neither scripts nor style sheets need to be inline. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Perdure API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <script src="/docs/swagger-ui-bundle.js" defer></script>
    <script src="/docs/start.js" defer></script>
  </head>
  <body>
    <div id="docs"></div>
    <noscript>The same in plain JSON: <a href="/openapi.json">/openapi.json</a></noscript>
  </body>
</html>
`;

const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
`;

export function docsRoutes(): Router {
  const description = JSON.stringify(buildOpenApi());
  const router = Router();

  router.get('/openapi.json', (_request, response) => {
    sendText(response, 200, description);
  });

  router.get('/docs', (_request, response) => {
    response.set('Content-Security-Policy', PAGE_POLICY).type('text/html').send(PAGE);
  });

  router.get('/docs/start.js', (_request, response) => {
    response.type('text/javascript').send(START);
  });

  router.use('/docs', express.static(assetFolder(), { index: false, redirect: false, maxAge: '1h' }));

  return router;
}

/** Copied into dist/ by the build, wherever this file runs from. */
function assetFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const beside = join(here, 'docs-ui');
  return existsSync(beside) ? beside : join(here, '..', '..', '..', 'dist', 'docs-ui');
}
