// Says of each operation which scope its token needs, as it is declared for the routes.
import { ROUTE_ACCESS } from '../auth/route-access.ts';
import type { OpenApiDocument } from './index.ts';

/** Without authentication (`{}`) everyone may do everything. */
export function withScopes(paths: OpenApiDocument['paths']): OpenApiDocument['paths'] {
  const scoped = structuredClone(paths);
  for (const [route, { scope }] of Object.entries(ROUTE_ACCESS)) {
    const [method = '', path = ''] = route.split(' ');
    const operation = scoped[`/v1${path.replace(/:(\w+)/g, '{$1}')}`]?.[method.toLowerCase()];
    if (operation) operation.security = [{}, { token: [scope] }];
  }
  return scoped;
}
