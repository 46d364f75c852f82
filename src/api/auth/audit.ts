// Holds back the answer of whatever changed something until it stands in the audit log: docs/decisions/audit.md.
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';

import { currentTime } from '../../clock.ts';
import type { AuditRow } from '../../db/audit.ts';
import { StoreUnavailableError } from '../../db/pool.ts';
import type { AuditDraft } from '../../jobs/accept.ts';
import { newId } from '../../jobs/ids.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { WriteAudit } from './audit-writer.ts';

declare module 'express-serve-static-core' {
  interface Locals {
    /** Its row was written in the statement that did what it tells of. */
    isAudited?: true;
  }
}

export interface AuditDeps {
  writeAudit: WriteAudit;
  answerError: ErrorRequestHandler;
  log: Logger;
}

/** What the answer that does not leave had said about the thing. */
const HEADERS_OF_SUCCESS = ['Location', 'Idempotency-Replayed', 'Preference-Applied', 'Content-Length'];

export function createAudit({ writeAudit, answerError, log }: AuditDeps): RequestHandler {
  return (request, response, next) => {
    const { action } = response.locals.access ?? {};
    if (!action) return next();
    const end = response.end.bind(response) as (...args: unknown[]) => Response;

    const record = async (args: unknown[]): Promise<void> => {
      const row = auditRow(response, action);
      try {
        await response.locals.within(writeAudit(row));
      } catch (error) {
        log.error({ audit: row, err: error }, 'done, but not audited');
        for (const name of HEADERS_OF_SUCCESS) response.removeHeader(name);
        return void answerError(new StoreUnavailableError('not audited', { cause: error }), request, response, next);
      }
      end(...args);
    };

    response.end = ((...args: unknown[]) => {
      response.end = end as typeof response.end;
      if (response.statusCode >= 400 || response.locals.isAudited) return end(...args);
      void record(args);
      return response;
    }) as typeof response.end;
    next();
  };
}

/** For what can be kept together with its row; whoever has done so sets `isAudited`. */
export function draftAudit({ locals }: Pick<Response, 'locals'>, status: number): AuditDraft {
  const { requestId, principal, tenant, access } = locals;
  const action = access?.action ?? '';
  const [targetKind = ''] = action.split('.');
  return {
    id: newId('aud'),
    ...{ tenant, requestId, action, targetKind },
    actor: principal.subject,
    auth: principal.auth,
    detail: { status },
    createdAt: currentTime(),
  };
}

function auditRow(response: Response, action: `${string}.${string}`): AuditRow {
  const { access, auditDetail = {} } = response.locals;
  const [[, named = null] = [], ...others] = Object.entries(access?.params ?? {});
  const [, verb] = action.split('.');
  const made = response.get('location')?.split('/').at(-1) ?? null;
  // A path names what is changed; what is created names itself, and its path what it was created from.
  const targetId = verb === 'create' ? made : (named ?? made);
  const draft = draftAudit(response, response.statusCode);
  return {
    ...draft,
    targetId,
    detail: {
      ...draft.detail,
      ...(response.get('idempotency-replayed') ? { replayed: true } : {}),
      ...(named !== null && named !== targetId ? { from: named } : {}),
      ...(made !== null && made !== targetId ? { made } : {}),
      ...Object.fromEntries(others),
      ...auditDetail,
    },
  };
}
