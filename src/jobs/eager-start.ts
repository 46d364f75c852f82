// Whether a workflow may begin in this very process, without a way through the server: only where a worker lives in it too.
import { type Client, Connection } from '@temporalio/client';

/** A worker's connection is a native one. To ask for it over any other is an error, and nothing would start. */
export function eagerStart(client: Client): { requestEagerStart: boolean } {
  return { requestEagerStart: !(client.connection instanceof Connection) };
}
