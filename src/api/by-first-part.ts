// Finds the router of a path by its first part, `jobs` in /jobs/job_1: none of the others is asked.
import { type RequestHandler, Router } from 'express';

/** What has a `stack` is searched like a router by whoever lists the routes there are (middleware/not-found.ts). */
export type ListedHandler = RequestHandler & Pick<Router, 'stack'>;

export function byFirstPart(routers: Router[]): ListedHandler {
  const named = new Map<string, Router>();
  for (const router of routers) {
    // A route may have several paths, whatever its type says.
    const parts = router.stack.flatMap(({ route }) => [route?.path ?? []].flat().map(firstPart));
    for (const part of new Set(parts)) {
      const known = named.get(part);
      named.set(part, known ? Router().use(known, router) : router);
    }
  }
  const find: RequestHandler = (request, response, next) => {
    const router = named.get(firstPart(request.path));
    if (router) router(request, response, next);
    else next();
  };
  return Object.assign(find, { stack: routers.flatMap(({ stack }) => stack) });
}

/** In any case, as routers read paths. */
export function firstPart(path: string): string {
  const end = path.indexOf('/', 1);
  return (end < 0 ? path.slice(1) : path.slice(1, end)).toLowerCase();
}
