// Series that are known beforehand exist from the start: a rate over the first event would miss it otherwise.
import type { Counter } from 'prom-client';

export function startAtZero<Label extends string>(
  counter: Counter<Label>,
  labels: Partial<Record<Label, readonly string[]>>,
): Counter<Label> {
  let combinations: Partial<Record<Label, string>>[] = [{}];
  for (const [name, values] of Object.entries(labels) as [Label, readonly string[]][]) {
    combinations = combinations.flatMap((before) => values.map((value) => ({ ...before, [name]: value })));
  }
  for (const combination of combinations) counter.inc(combination, 0);
  return counter;
}
