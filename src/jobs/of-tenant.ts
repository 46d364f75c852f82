// Whose a workflow is, in Temporal's words: tenants take turns in its queues, and the Web UI finds what is theirs.
import {
  defineSearchAttributeKey,
  type Priority,
  type SearchAttributePair,
  SearchAttributeType,
  TypedSearchAttributes,
} from '@temporalio/common';

import { SEARCH_ATTRIBUTES } from '../contract/temporal.ts';

const TENANT = defineSearchAttributeKey(SEARCH_ATTRIBUTES.tenant, SearchAttributeType.KEYWORD);

export interface TenantOptions {
  priority: Priority;
  typedSearchAttributes: TypedSearchAttributes;
}

/** The tenant stands in the ids of its scheduled jobs too: it is no secret where `attributes` are. */
export function ofTenant(
  tenant: string,
  { priorityKey, attributes = [] }: { priorityKey?: number; attributes?: SearchAttributePair[] } = {},
): TenantOptions {
  return {
    priority: { fairnessKey: tenant, ...(priorityKey === undefined ? {} : { priorityKey }) },
    typedSearchAttributes: new TypedSearchAttributes([{ key: TENANT, value: tenant }, ...attributes]),
  };
}
