// Keeps browsers from doing anything with an answer: what helmet sets, which is the same each time, asked of it once.
import type { Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';

/** We speak plain HTTP; whether browsers must use TLS is for the proxy that adds it to say. */
export const OVER_PLAIN_HTTP = {
  strictTransportSecurity: false,
  // Answers are data: opened in a browser they load and run nothing. Pages (/docs) set a policy of their own.
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
  },
};

export function createSecurityHeaders(): RequestHandler {
  const headers = [...headersOfHelmet()];
  return (_request, response, next) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    next();
  };
}

function headersOfHelmet(): Map<string, string> {
  const headers = new Map<string, string>();
  /** All that helmet asks of an answer; it does not look at the request. */
  const answer = {
    setHeader: (name: string, value: string) => void headers.set(name, value),
    removeHeader: (name: string) => void headers.delete(name),
  };
  let isDone = false;
  helmet(OVER_PLAIN_HTTP)({} as Request, answer as unknown as Response, (error) => (isDone = !error));
  if (!isDone) throw new Error('helmet did not set its headers at once');
  return headers;
}
