// /v1/whoami in the API description.
import { z } from 'zod';

import { SCOPES } from '../../contract/access.ts';
import { operation, type Resource } from './document.ts';

const TAG = 'Access';

const identitySchema = z.strictObject({
  subject: z.string(),
  tenant: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  auth: z.enum(['none', 'jwt', 'apikey']),
});

export const access: Resource = {
  tag: { name: TAG, description: 'Who is asking.' },
  outputs: { Identity: identitySchema },
  paths: {
    '/v1/whoami': {
      get: operation(TAG, {
        id: 'whoami',
        summary: 'Say who the service thinks is asking',
        answers: {
          200: {
            description: 'The identity behind the token; without authentication, everyone.',
            schema: 'Identity',
            example: {
              subject: 'anonymous',
              tenant: 'default',
              scopes: ['read', 'submit', 'operate', 'admin'],
              auth: 'none',
            },
          },
        },
      }),
    },
  },
};
