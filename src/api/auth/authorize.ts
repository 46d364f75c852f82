// Lets a request through to its route when the token has the scope for it; what has no declared scope is closed.
import { type Express, type RequestHandler, Router } from 'express';

import { DEFAULT_TENANT, type Principal } from '../../contract/access.ts';
import { firstPart } from '../by-first-part.ts';
import { type Layer, methodsAt } from '../middleware/not-found.ts';
import { ApiError } from '../problem.ts';
import { ROUTE_ACCESS, type RouteAccess } from './route-access.ts';

const METHODS = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const;

type FoundAccess = RouteAccess & { params: Record<string, string> };

export function createAuthorize(app: Express): RequestHandler {
  const find = createFind();

  return ({ method, path, baseUrl }, response, next) => {
    // Says only which methods there are.
    if (method === 'OPTIONS') return next();
    const access = find(routedMethod(method), path);
    if (access) {
      assertAllowed(access, response.locals.principal);
      response.locals.access = access;
    } else if (methodsAt(app, baseUrl + path).includes(routedMethod(method))) {
      throw new ApiError('notFound');
    }
    next();
  };
}

/** The first rule that matches is that of the route which will answer. */
function createFind(): (method: string, path: string) => FoundAccess | null {
  const rules = new Map<string, { layer: Layer; access: RouteAccess }[]>();
  for (const [route, access] of Object.entries(ROUTE_ACCESS)) {
    const [method = '', path = ''] = route.split(' ');
    // Of a router, so that a path is read here exactly as the routes will read it.
    const router = Router();
    router[METHODS[method as keyof typeof METHODS]](path, () => {});
    const [layer] = router.stack as Layer[];
    const name = `${method} ${firstPart(path)}`;
    if (layer) rules.set(name, [...(rules.get(name) ?? []), { layer, access }]);
  }

  return (method, path) => {
    for (const { layer, access } of rules.get(`${method} ${firstPart(path)}`) ?? []) {
      const matched = layer.match(path);
      if (matched) return { ...access, params: matched.params };
    }
    return null;
  };
}

function routedMethod(method: string): string {
  return method === 'HEAD' ? 'GET' : method;
}

function assertAllowed(access: RouteAccess, { scopes, tenant }: Principal): void {
  if (!scopes.includes(access.scope)) throw lacksScope(access);
  if (access.shared && tenant !== DEFAULT_TENANT) throw concernsAll();
}

function lacksScope({ scope }: RouteAccess): ApiError {
  const headers = { 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${scope}"` };
  return new ApiError('forbidden', { detail: `The token lacks the scope "${scope}".`, headers });
}

function concernsAll(): ApiError {
  return new ApiError('forbidden', {
    detail: `This concerns all tenants: only the tenant "${DEFAULT_TENANT}" may do it.`,
  });
}
