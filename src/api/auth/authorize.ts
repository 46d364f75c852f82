// Lets a request through to its route when the token has the scope for it; what has no declared scope is closed.
import { type Express, type RequestHandler, Router } from 'express';

import { DEFAULT_TENANT } from '../../contract/access.ts';
import { methodsAt } from '../middleware/not-found.ts';
import { ApiError } from '../problem.ts';
import { ROUTE_ACCESS, type RouteAccess } from './route-access.ts';

const METHODS = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const;

export function createAuthorize(app: Express): RequestHandler {
  // A router of its own, so that a path is read here exactly as the routes will read it.
  const guards = Router();
  for (const [route, access] of Object.entries(ROUTE_ACCESS)) {
    const [method = '', path = ''] = route.split(' ');
    guards[METHODS[method as keyof typeof METHODS]](path, createGuard(access));
  }

  return (request, response, next) => {
    // Says only which methods there are.
    if (request.method === 'OPTIONS') return next();
    guards(request, response, (error?: unknown) => {
      if (error) return next(error);
      if (!response.locals.access && isRouted(app, request.method, request.baseUrl + request.path)) {
        return next(new ApiError('notFound'));
      }
      next();
    });
  };
}

function createGuard(access: RouteAccess): RequestHandler {
  return (request, response, next) => {
    // The first one that matches is the one whose route will answer.
    if (response.locals.access) return next();
    const { scopes, tenant } = response.locals.principal;
    if (!scopes.includes(access.scope)) throw lacksScope(access);
    if (access.shared && tenant !== DEFAULT_TENANT) throw concernsAll();
    response.locals.access = { ...access, params: { ...(request.params as Record<string, string>) } };
    next();
  };
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

function isRouted(app: Express, method: string, path: string): boolean {
  return methodsAt(app, path).includes(method === 'HEAD' ? 'GET' : method);
}
