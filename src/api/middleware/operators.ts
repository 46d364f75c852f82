// Keeps what concerns the whole installation to those who run it: the admins of the tenant `default`.
import type { RequestHandler } from 'express';

import { DEFAULT_TENANT } from '../../contract/access.ts';
import { ApiError } from '../problem.ts';

export const byOperators: RequestHandler = (_request, response, next) => {
  if (response.locals.tenant === DEFAULT_TENANT) return next();
  throw new ApiError('forbidden', { detail: `This concerns all tenants: only "${DEFAULT_TENANT}" has a say in it.` });
};
