/** Field configuration: Grafana applies a panel's defaults and overrides, once it is told which properties there are. */

import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  type DataFrame,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
  type GrafanaTheme2,
  standardFieldConfigEditorRegistry,
} from '@grafana/data';

import { withBase } from './defaults';
import type { Scene } from './scene';
import { interpolator } from './variables';

const STANDARD = [
  'unit',
  'min',
  'max',
  'decimals',
  'displayName',
  'color',
  'noValue',
  'links',
  'mappings',
  'thresholds',
  'filterable',
  'fieldMinMax',
  'description',
  'actions',
];

/** Register the standard properties and all custom ones that these configurations use. */
export function registerFields(sources: FieldConfigSource[]): void {
  standardFieldConfigEditorRegistry.setInit(() => [...STANDARD.map((id) => property(id, id, false)), ...customs(sources)]);
}

export function configured(frames: DataFrame[], fieldConfig: FieldConfigSource, theme: GrafanaTheme2, scene: Scene): DataFrame[] {
  const applied = applyFieldOverrides({ data: frames, fieldConfig, theme, timeZone: 'utc', replaceVariables: interpolator(scene) });
  // Tables and legends look for the names there.
  cacheFieldDisplayNames(applied);
  return applied;
}

function customs(sources: FieldConfigSource[]): FieldConfigPropertyItem[] {
  const ids = sources.flatMap(({ defaults, overrides }) => [
    ...Object.keys(defaults.custom ?? {}).map((name) => `custom.${name}`),
    ...overrides.flatMap(({ properties }) => properties.map(({ id }) => id)).filter((id) => id.startsWith('custom.')),
  ]);
  return [...new Set(ids)].map((id) => property(id, id.slice('custom.'.length), true));
}

function property(id: string, path: string, isCustom: boolean): FieldConfigPropertyItem {
  const process = (value: any) => (id === 'thresholds' && value ? withBase(value) : value);
  const never = () => null;
  return { id, path, isCustom, name: id, process, shouldApply: () => true, override: never as any, editor: never as any };
}
