// A dashboard: what all of ours have in common, and panels in rows that fill the grid from left to right.
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

import { DATASOURCE, GRID_WIDTH, type Panel } from './panels.ts';

export interface Row {
  title: string;
  panels: Panel[];
}

export interface PageOptions {
  /** For ever: links and bookmarks name it. */
  uid: string;
  title: string;
  description: string;
  variables?: ('tenant' | 'host')[];
  /** The query of the Temporal Web UI that the page links to. */
  workflows?: { title: string; query: string };
}

const TAG = 'perdure';
const SOURCES = {
  tenant: 'perdure_jobs_accepted_total',
  host: 'perdure_host_attempts_total',
};
const ROW_HEIGHT = 1;

export function page(options: PageOptions, rows: Row[]): dashboard.Dashboard {
  const builder = new dashboard.DashboardBuilder(options.title)
    .uid(options.uid)
    .description(options.description)
    .tags([TAG])
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .refresh('10s')
    .editable()
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .variables([...(options.variables ?? []).map(variable), temporalUi(), namespace()])
    .links(links(options.workflows ?? { title: 'Temporal Web UI', query: '' }));
  const built = builder.annotations([]).build();
  built.panels = placed(rows);
  // Left out, links stand at the top, where one sees them.
  for (const link of built.links ?? []) delete link.placement;
  return built;
}

/** Rows of panels from left to right; what does not fit begins the next line, below the tallest of this one. */
function placed(rows: Row[]): (dashboard.Panel | dashboard.RowPanel)[] {
  const panels: (dashboard.Panel | dashboard.RowPanel)[] = [];
  let id = 1;
  let y = 0;
  for (const row of rows) {
    panels.push({
      ...new dashboard.RowBuilder(row.title).build(),
      id: id++,
      gridPos: { x: 0, y, w: GRID_WIDTH, h: 1 },
    });
    y += ROW_HEIGHT;
    let x = 0;
    let lineHeight = 0;
    for (const builder of row.panels) {
      const panel = builder.build();
      const { w = GRID_WIDTH, h = 8 } = panel.gridPos ?? {};
      if (x + w > GRID_WIDTH) {
        y += lineHeight;
        x = 0;
        lineHeight = 0;
      }
      panels.push({ ...panel, id: id++, gridPos: { x, y, w, h } });
      x += w;
      lineHeight = Math.max(lineHeight, h);
    }
    y += lineHeight;
  }
  return panels;
}

function variable(name: keyof typeof SOURCES): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name)
    .label(name === 'tenant' ? 'Tenant' : 'Host')
    .description(name === 'host' ? 'The first 100 hosts there were; the rest is `other`.' : 'Whose jobs.')
    .datasource(DATASOURCE)
    .query({ query: `label_values(${SOURCES[name]}, ${name})`, refId: `${name}-values` })
    .definition(`label_values(${SOURCES[name]}, ${name})`)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: ['All'], value: ['$__all'] });
}

function temporalUi(): dashboard.TextBoxVariableBuilder {
  return textBox('temporal_ui', 'Temporal Web UI', 'http://localhost:8233');
}

function namespace(): dashboard.TextBoxVariableBuilder {
  return textBox('namespace', 'Namespace', 'default');
}

function textBox(name: string, label: string, value: string): dashboard.TextBoxVariableBuilder {
  return new dashboard.TextBoxVariableBuilder(name).label(label).defaultValue(value).current({ text: value, value });
}

function links(workflows: { title: string; query: string }): dashboard.DashboardLinkBuilder[] {
  const query = workflows.query === '' ? '' : `?query=${encodeURIComponent(workflows.query)}`;
  return [
    new dashboard.DashboardLinkBuilder('Perdure')
      .type(dashboard.DashboardLinkType.Dashboards)
      .tags([TAG])
      .asDropdown(true)
      .includeVars(true)
      .keepTime(true),
    new dashboard.DashboardLinkBuilder(workflows.title)
      .type(dashboard.DashboardLinkType.Link)
      .icon('external link')
      .url(`\${temporal_ui}/namespaces/\${namespace}/workflows${query}`)
      .targetBlank(true),
  ];
}
