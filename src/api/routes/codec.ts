// /v1/codec: makes encrypted payloads readable for the Temporal Web UI. It decodes only, and only what is the asker's.
import type { Payload, PayloadCodec } from '@temporalio/common';
import { type RequestHandler, Router } from 'express';
import { z } from 'zod';

import { DEFAULT_TENANT } from '../../contract/access.ts';
import { TICK_PREFIX } from '../../contract/schedule.ts';
import { tenantsOf } from '../../db/owners.ts';
import type { Database } from '../../db/pool.ts';
import { UndecipherableError } from '../../jobs/secrets/keyring.ts';
import { isEncrypted, ownerOf } from '../../jobs/secrets/payload-codec.ts';
import { parseBySchema } from '../../jobs/spec/faults.ts';
import { isBase64 } from '../../jobs/spec/http-schema.ts';
import { refuseQuery, sendJson } from '../answer.ts';
import { jsonBody } from '../middleware/body.ts';
import { ApiError } from '../problem.ts';

const MAX_PAYLOADS = 1_000;
const LIMIT_BYTES = 10 * 1024 * 1024;
/** What the Web UI sends besides the browser's own. */
const CORS = {
  'Access-Control-Allow-Methods': 'POST',
  'Access-Control-Allow-Headers': 'authorization, content-type, x-namespace',
  'Access-Control-Max-Age': '600',
};

const bytes = z.string().refine(isBase64, { error: 'Must be base64.' });
export const payloadsSchema = z.strictObject({
  payloads: z
    .array(z.strictObject({ metadata: z.record(z.string(), bytes).nullish(), data: bytes.nullish() }))
    .max(MAX_PAYLOADS),
});

type WirePayload = z.infer<typeof payloadsSchema>['payloads'][number];

/** Before authentication, because a browser asks first without a token. Every other origin hears nothing of it. */
export function codecCors(origin: string | null): RequestHandler {
  return (request, response, next) => {
    response.vary('Origin');
    if (origin === null || request.get('origin') !== origin) return next();
    response.set('Access-Control-Allow-Origin', origin);
    if (request.method !== 'OPTIONS') return next();
    response.set(CORS).status(204).end();
  };
}

export function codecRoutes({ db, viewerCodec }: { db: Database; viewerCodec: PayloadCodec | null }): Router {
  const router = Router();

  router.post('/codec/decode', refuseQuery, jsonBody({ limitBytes: LIMIT_BYTES }), async (request, response) => {
    const parsed = parseBySchema(payloadsSchema, request.body);
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    const payloads = parsed.value.payloads.map(fromWire);
    // All rows: one that cannot be seen must not pass for one that is not there.
    const owners = await db.asService(() => tenantsOf(db, [...new Set(payloads.map(rowOf))]));
    const { tenant } = response.locals;
    const decoded = payloads.map(async (payload) => {
      const isTheirs = (owners.get(rowOf(payload)) ?? tenantNamedIn(ownerOf(payload))) === tenant;
      return viewerCodec && isTheirs && isEncrypted(payload) ? decode(viewerCodec, payload) : payload;
    });
    sendJson(response, 200, { payloads: (await Promise.all(decoded)).map(toWire) });
  });

  return router;
}

/** Chunks of a run have workflows of their own below the run's. */
function rowOf(payload: Payload): string {
  return ownerOf(payload).split('/')[0] ?? '';
}

/** Of what has no row: schedules, whose ids begin with their tenant, and operations. */
function tenantNamedIn(owner: string): string {
  const [first = '', second] = (owner.startsWith(TICK_PREFIX) ? owner.slice(TICK_PREFIX.length) : owner).split('.');
  return second === undefined ? DEFAULT_TENANT : first;
}

/** What cannot be read stays as it is: one payload under a lost key hides no other. */
async function decode(codec: PayloadCodec, payload: Payload): Promise<Payload> {
  try {
    const [decoded = payload] = await codec.decode([payload]);
    return decoded;
  } catch (error) {
    if (error instanceof UndecipherableError) return payload;
    throw error;
  }
}

function fromWire({ metadata, data }: WirePayload): Payload {
  const decoded = Object.entries(metadata ?? {}).map(([name, text]) => [name, Buffer.from(text, 'base64')] as const);
  return { metadata: Object.fromEntries(decoded), data: Buffer.from(data ?? '', 'base64') };
}

function toWire({ metadata, data }: Payload) {
  const encoded = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  return {
    metadata: Object.fromEntries(encoded) as Record<string, string>,
    data: Buffer.from(data ?? []).toString('base64'),
  };
}
