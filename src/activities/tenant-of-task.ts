// Whose task this activity is, as its workflow said to Temporal.
import { asyncLocalStorage } from '@temporalio/activity';

export function tenantOfTask(): string {
  return asyncLocalStorage.getStore()?.info.priority?.fairnessKey ?? '';
}
