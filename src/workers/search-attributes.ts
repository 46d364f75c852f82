// Registers our search attributes, so that the Web UI can find jobs by name and host.
import type { NativeConnection } from '@temporalio/worker';

import { SEARCH_ATTRIBUTES } from '../contract/temporal.ts';
import type { Logger } from '../telemetry/log.ts';

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const KEYWORD = 2;

export async function registerSearchAttributes(
  { operatorService }: NativeConnection,
  namespace: string,
  log: Logger,
): Promise<void> {
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = Object.values(SEARCH_ATTRIBUTES).filter((name) => !(name in (customAttributes ?? {})));
    if (missing.length === 0) return;
    const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
    await operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    // Another worker was quicker, or the server (a managed one) wants it done by its own tools.
    log.warn({ err: error, names: Object.values(SEARCH_ATTRIBUTES) }, 'search attributes not registered');
  }
}
