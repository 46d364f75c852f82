// The routes of the app, read from its router; nothing is called and nothing connected.
import type { Router } from 'express';

import { createApp } from '../api/app.ts';

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

type AppDeps = Parameters<typeof createApp>[0];

type Layer = Omit<Router['stack'][number], 'handle'> & {
  handle: { stack?: Layer[] };
  match(path: string): { path: string } | false;
};

/** `get /v1/jobs/{id}`, as the app has them mounted. */
export function routesOfApp(): string[] {
  const { router } = createApp(anything()) as unknown as { router: { stack: Layer[] } };
  return router.stack.flatMap((layer) => {
    const mounted = layer.match('/v1/x');
    const prefix = layer.match('/') ? '' : mounted ? mounted.path : '';
    return (layer.handle.stack ?? []).flatMap(({ route }) => {
      // What /docs loads is no part of the API.
      const paths = [route?.path ?? []].flat().filter((path) => !path.startsWith('/docs/'));
      const methods = new Set(route?.stack.map(({ method }) => method).filter((method) => METHODS.includes(method)));
      return paths.flatMap((path) =>
        [...methods].map((method) => `${method} ${prefix}${path.replace(/:(\w+)/g, '{$1}')}`),
      );
    });
  });
}

/** Routes only take their dependencies apart when they are made: where they are not called, anything will do. */
export function anything(given: Partial<AppDeps> = {}): AppDeps {
  // Who awaits it gets it, and does not wait for ever.
  const get = (_target: unknown, name: string | symbol): unknown => (name === 'then' ? undefined : whatever);
  const whatever: unknown = new Proxy(() => whatever, { get });
  const known: Record<string, unknown> = { auth: null, ...given };
  return new Proxy({}, { get: (_target, name) => (name in known ? known[String(name)] : whatever) }) as AppDeps;
}
