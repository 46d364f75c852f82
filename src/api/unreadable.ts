// Answers what is not even an HTTP request (too long, garbled, too slow) in the same form as every other error.
import type { Duplex } from 'node:stream';

import { newUuid } from '../jobs/ids.ts';
import { ApiError, type ProblemCode, toProblem } from './problem.ts';

const CODES: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headersTooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'requestTimeout',
};

/** There is no request yet, so there is no response object either: the answer is written by hand. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const requestId = newUuid();
  const problem = toProblem(new ApiError(CODES[error.code ?? ''] ?? 'invalidRequest'), requestId);
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.code}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
