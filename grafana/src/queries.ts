// PromQL as the panels use it: rates, quantiles, and the filters that the variables of a dashboard set.
const RATE = '[$__rate_interval]';

export const TENANT = 'tenant=~"$tenant"';
export const HOST = 'host=~"$host"';

export interface Query {
  expr: string;
  legend: string;
}

export function query(expr: string, legend: string): Query {
  return { expr, legend };
}

function selector(metric: string, filter: string): string {
  return filter === '' ? metric : `${metric}{${filter}}`;
}

export function rate(metric: string, filter = ''): string {
  return `rate(${selector(metric, filter)}${RATE})`;
}

/** Over the time that the dashboard shows. */
export function total(metric: string, filter = ''): string {
  return `increase(${selector(metric, filter)}[$__range])`;
}

export function sumBy(label: string, expr: string): string {
  return label === '' ? `sum(${expr})` : `sum by (${label}) (${expr})`;
}

/** What each API process reads from the same store: any one of them is the truth, their sum is not. */
export function state(metric: string, { filter = '', by = '' }: { filter?: string; by?: string } = {}): string {
  const all = [...new Set(['tenant', ...by.split(', ').filter(Boolean)])].join(', ');
  return sumBy(by, `max by (${all}) (${selector(metric, filter)})`);
}

export function quantiles(histogram: string, filter = '', by = ''): Query[] {
  return [0.5, 0.95, 0.99].map((share) => ({
    expr: quantile(share, histogram, filter, by),
    legend: `${by === '' ? '' : `{{${by}}} `}p${share * 100}`,
  }));
}

export function quantile(share: number, histogram: string, filter = '', by = ''): string {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${share}, sum by (${labels}) (${rate(`${histogram}_bucket`, filter)}))`;
}

export function share(part: string, whole: string): string {
  return `sum(${part}) / sum(${whole})`;
}
