// The dashboards as Grafana reads them: what it would refuse or show wrongly, and metrics that do not exist.
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { describe, expect, test } from 'vitest';

import { measureFleet } from '../../src/telemetry/fleet-metrics.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { measurePool } from '../../src/telemetry/process-metrics.ts';
import { measureState } from '../../src/telemetry/state-metrics.ts';
import { dashboards } from './index.ts';
import { DATASOURCE, GRID_WIDTH } from './panels.ts';

interface Target {
  expr: string;
  refId: string;
  datasource: unknown;
}

const known = new Set(allNames());

describe.each(dashboards)('$title', (page) => {
  const all = page.panels ?? [];
  const panels = all.filter((panel): panel is dashboard.Panel => panel.type !== 'row');

  test('every panel has a title, a description, a unit and queries of the one data source', () => {
    expect(panels.length).toBeGreaterThan(5);
    for (const panel of panels) {
      expect(panel.title).toBeTruthy();
      expect(panel.description?.length, panel.title).toBeGreaterThan(20);
      expect(panel.fieldConfig?.defaults.unit, panel.title).toBeTruthy();
      expect(panel.datasource).toEqual(DATASOURCE);
      const targets = targetsOf(panel);
      expect(targets.length, panel.title).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      for (const target of targets) expect(target.datasource).toEqual(DATASOURCE);
    }
  });

  test('panels have ids of their own, stay on the grid and do not cover each other', () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const taken = new Map<string, string>();
    for (const panel of all) {
      const { x, y, w, h } = panel.gridPos ?? { x: -1, y: 0, w: 0, h: 0 };
      expect(x >= 0 && w > 0 && h > 0 && x + w <= GRID_WIDTH, panel.title).toBe(true);
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          const cell = `${column}:${row}`;
          expect(taken.get(cell), `${panel.title} lies on another panel`).toBeUndefined();
          taken.set(cell, panel.title ?? '');
        }
      }
    }
  });

  test('queries use variables that the dashboard has, and variables are used', () => {
    const names = (page.templating?.list ?? []).map(({ name }) => name);
    const texts = [...panels.flatMap((panel) => targetsOf(panel).map(({ expr }) => expr)), linksOf(page)];
    const used = new Set(
      texts.flatMap((text) => [...text.matchAll(/\$\{?([a-z]\w*)\}?/g)].map(([, name = '']) => name)),
    );
    expect([...used].filter((name) => !names.includes(name))).toEqual([]);
    expect(names.filter((name) => !used.has(name))).toEqual([]);
  });

  test('links lead to the Temporal Web UI and to the other dashboards', () => {
    expect(linksOf(page)).toContain('${temporal_ui}/namespaces/${namespace}/workflows');
    expect(
      page.links?.some(({ type, tags }) => type === dashboard.DashboardLinkType.Dashboards && tags.includes('perdure')),
    ).toBe(true);
  });

  test('queries name metrics that Perdure has', () => {
    const used = panels.flatMap((panel) => targetsOf(panel).flatMap(({ expr }) => namesIn(expr)));
    expect(used.filter((name) => !known.has(name))).toEqual([]);
  });
});

test('uids are unique, and short enough to be part of an address', () => {
  const uids = dashboards.map(({ uid = '' }) => uid);
  expect(new Set(uids).size).toBe(6);
  for (const uid of uids) expect(uid).toMatch(/^[a-z-]{1,40}$/);
});

function targetsOf({ targets = [] }: dashboard.Panel): Target[] {
  return targets as unknown as Target[];
}

function linksOf({ links = [] }: dashboard.Dashboard): string {
  return links.map(({ url = '' }) => url).join(' ');
}

function namesIn(expr: string): string[] {
  return [...expr.matchAll(/\bperdure_\w+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ''));
}

function allNames(): string[] {
  const unread = () => Promise.reject(new Error('nothing is read here'));
  const metrics = createMetrics();
  measurePool(metrics.registry, () => ({ total: 0, idle: 0, waiting: 0 }), 1);
  measureState(metrics, unread);
  measureFleet(metrics, unread);
  return metrics.registry.getMetricsAsArray().map(({ name }) => name);
}
