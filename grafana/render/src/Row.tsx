/** A row's head, which Grafana's application draws itself. */

import { Icon, useTheme2 } from '@grafana/ui';

import type { Panel, Scene } from './scene';
import { interpolator } from './variables';

export function Row({ panel, scene }: { panel: Panel; scene: Scene }) {
  const theme = useTheme2();
  const count = panel.panels?.length ?? 0;
  return (
    <div style={{ display: 'flex', alignItems: 'center', gap: 8, height: '100%' }}>
      <Icon name={panel.collapsed ? 'angle-right' : 'angle-down'} />
      <span style={{ fontSize: 16, fontWeight: 500 }}>{interpolator(scene)(panel.title ?? '')}</span>
      {panel.collapsed && (
        <span style={{ color: theme.colors.text.secondary, fontSize: 12 }}>
          ({count} {count === 1 ? 'panel' : 'panels'})
        </span>
      )}
    </div>
  );
}
