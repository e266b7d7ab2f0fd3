/** What Grafana's panels take where a dashboard says nothing; the components themselves leave it to the panel. */

import { merge } from 'lodash';

import type { FieldConfigSource } from '@grafana/data';
import { VizOrientation } from '@grafana/data';

const CUSTOM: Record<string, object> = {
  timeseries: {
    drawStyle: 'line',
    lineInterpolation: 'linear',
    lineWidth: 1,
    fillOpacity: 0,
    gradientMode: 'none',
    barAlignment: 0,
    barWidthFactor: 0.6,
    showPoints: 'auto',
    pointSize: 5,
    spanNulls: false,
    axisPlacement: 'auto',
    axisColorMode: 'text',
    axisBorderShow: false,
    axisCenteredZero: false,
    axisLabel: '',
    scaleDistribution: { type: 'linear' },
    stacking: { mode: 'none', group: 'A' },
    thresholdsStyle: { mode: 'off' },
    hideFrom: { legend: false, tooltip: false, viz: false },
  },
  table: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false },
};

const REDUCE = { values: false, calcs: ['lastNotNull'], fields: '' };

const OPTIONS: Record<string, object> = {
  stat: {
    reduceOptions: REDUCE,
    orientation: VizOrientation.Auto,
    textMode: 'auto',
    wideLayout: true,
    colorMode: 'value',
    graphMode: 'area',
    justifyMode: 'auto',
    showPercentChange: false,
  },
  bargauge: {
    reduceOptions: REDUCE,
    orientation: VizOrientation.Auto,
    displayMode: 'gradient',
    valueMode: 'color',
    namePlacement: 'auto',
    showUnfilled: true,
    minVizWidth: 8,
    minVizHeight: 16,
    maxVizHeight: 300,
  },
  timeseries: { legend: { displayMode: 'list', placement: 'bottom', calcs: [], showLegend: true }, tooltip: { mode: 'single' } },
  table: { showHeader: true, cellHeight: 'sm', sortBy: [] },
  text: { mode: 'markdown', content: '' },
};

export function optionsOf(type: string, given: object | undefined): any {
  return merge({}, OPTIONS[type], given);
}

export function fieldConfigOf(type: string, given: FieldConfigSource | undefined): FieldConfigSource {
  const custom = CUSTOM[type] ? { custom: CUSTOM[type] } : {};
  const thresholds = { mode: 'absolute', steps: [{ value: -Infinity, color: 'green' }] };
  return merge({}, { defaults: custom, overrides: [] }, given, {
    defaults: { thresholds: withBase(given?.defaults.thresholds ?? thresholds) },
  }) as FieldConfigSource;
}

/** JSON has no infinity: the first step of thresholds is stored as null. */
export function withBase(thresholds: any): any {
  const steps = thresholds?.steps?.map((step: any, place: number) => (place ? step : { ...step, value: -Infinity }));
  return { ...thresholds, steps };
}
