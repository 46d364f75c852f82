// The kinds of panels there are; each has a unit and says what a bad value means.
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmaps from '@grafana/grafana-foundation-sdk/heatmap';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stats from '@grafana/grafana-foundation-sdk/stat';
import * as tables from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

import type { Query } from './queries.ts';

export const DATASOURCE = { type: 'prometheus', uid: 'prometheus' };
export const GRID_WIDTH = 24;

/** Of Grafana: `ops` is per second, `percentunit` goes from 0 to 1. */
export type Unit = 'ops' | 'reqps' | 's' | 'short' | 'percentunit' | 'bytes';

export interface PanelOptions {
  title: string;
  /** What it shows, and what a bad value tells whoever looks at it. */
  description: string;
  unit: Unit;
  width?: number;
  height?: number;
}

/** Green below the first limit, yellow from there, red from the second; `from` descends where more is better. */
export interface Limits {
  warn: number;
  bad: number;
}

export type Panel = Builder<dashboard.Panel>;

export function graph(
  { title, description, unit, width = 8, height = 8, stacked = false }: PanelOptions & { stacked?: boolean },
  queries: Query[],
): Panel {
  const panel = new timeseries.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .min(0)
    .span(width)
    .height(height)
    .lineWidth(1)
    .fillOpacity(stacked ? 30 : 8)
    .showPoints(common.VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.Table)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    )
    .targets(targetsOf(queries));
  return stacked ? panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal)) : panel;
}

export function stat(
  { title, description, unit, width = 4, height = 4, limits }: PanelOptions & { limits?: Limits },
  queries: Query[],
): Panel {
  return new stats.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .span(width)
    .height(height)
    .colorMode(limits ? common.BigValueColorMode.Background : common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.Area)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds))
    .thresholds(thresholds(limits))
    .targets(targetsOf(queries));
}

/** Cumulative buckets of a histogram: where the calls lie, not only their quantiles. */
export function heatmap({ title, description, unit, width = 12, height = 8 }: PanelOptions, expr: string): Panel {
  return new heatmaps.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit('ops')
    .span(width)
    .height(height)
    .calculate(false)
    .yAxis(new heatmaps.YAxisConfigBuilder().unit(unit))
    .color(new heatmaps.HeatmapColorOptionsBuilder().mode(heatmaps.HeatmapColorMode.Scheme).scheme('Oranges').steps(64))
    .targets([
      new prometheus.DataqueryBuilder()
        .datasource(DATASOURCE)
        .expr(expr)
        .legendFormat('{{le}}')
        .format(prometheus.PromQueryFormat.Heatmap)
        .range()
        .refId('A'),
    ]);
}

export interface Column extends Query {
  unit: Unit;
}

/** One row per value of `key`, one column per query: as things are now. */
export function table(
  { title, description, unit, width = GRID_WIDTH, height = 9 }: PanelOptions,
  key: string,
  columns: Column[],
): Panel {
  const names = columns.map(({ legend }, at) => [`Value #${refId(at)}`, legend] as const);
  const panel = new tables.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .span(width)
    .height(height)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: { excludeByName: { Time: true }, indexByName: { [key]: 0 }, renameByName: Object.fromEntries(names) },
    })
    .targets(
      columns.map(({ expr, legend }, at) =>
        target({ expr, legend }, at).format(prometheus.PromQueryFormat.Table).instant(),
      ),
    );
  for (const { legend, unit: own } of columns) panel.overrideByName(legend, [{ id: 'unit', value: own }]);
  return panel;
}

function targetsOf(queries: Query[]): Builder<Dataquery>[] {
  return queries.map((one, at) => target(one, at).range());
}

function target({ expr, legend }: Query, at: number): prometheus.DataqueryBuilder {
  return new prometheus.DataqueryBuilder().datasource(DATASOURCE).expr(expr).legendFormat(legend).refId(refId(at));
}

function refId(at: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + at);
}

function thresholds(limits: Limits | undefined): dashboard.ThresholdsConfigBuilder {
  const builder = new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute);
  if (!limits) return builder.steps([{ value: null, color: 'blue' }]);
  const { warn, bad } = limits;
  const more = bad > warn;
  return builder.steps([
    { value: null, color: more ? 'green' : 'red' },
    { value: more ? warn : bad, color: 'yellow' },
    { value: more ? bad : warn, color: more ? 'red' : 'green' },
  ]);
}
