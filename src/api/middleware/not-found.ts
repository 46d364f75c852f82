// What no route has answered: 405 and the methods there are where only the method is wrong, else 404.
import type { Express, RequestHandler, Router } from 'express';

import { ApiError } from '../problem.ts';

/** `match` is what the router itself asks; its types leave it out. */
export type Layer = Router['stack'][number] & {
  match(path: string): { path: string; params: Record<string, string> } | false;
};

export function createNotFound(app: Express): RequestHandler {
  return ({ baseUrl, path }) => {
    const methods = new Set(methodsAt(app, baseUrl + path));
    if (methods.has('GET')) methods.add('HEAD');
    if (methods.size === 0) throw new ApiError('notFound');
    throw new ApiError('methodNotAllowed', { headers: { Allow: [...methods].sort().join(', ') } });
  };
}

/** Of the routes there are at a path, whether or not a request gets through to them. */
export function methodsAt(app: Express, path: string): string[] {
  return methodsIn(app.router.stack as Layer[], path);
}

function methodsIn(layers: Layer[], path: string): string[] {
  return layers.flatMap((layer) => {
    const mounted = (layer.handle as Partial<Router>).stack as Layer[] | undefined;
    const matched = (layer.route || mounted) && layer.match(path);
    if (!matched) return [];
    if (layer.route) return layer.route.stack.map(({ method }) => method.toUpperCase());
    return methodsIn(mounted ?? [], path.slice(matched.path.length) || '/');
  });
}
