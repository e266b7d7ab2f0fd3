/** The whole page: a head with title, variables and time range, and the grid. */

import { dateTimeFormat, type DataFrame } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import type { CSSProperties } from 'react';

import { boxOf, HEAD_HEIGHT, PADDING, PAGE_WIDTH, pageHeight, shownPanels } from './grid';
import { PanelBox } from './PanelBox';
import { Row } from './Row';
import type { Scene } from './scene';

interface Props {
  scene: Scene;
  frames: Map<number, DataFrame[]>;
}

export function Board({ scene, frames }: Props) {
  const theme = useTheme2();
  const panels = shownPanels(scene.dashboard.panels);
  const page: CSSProperties = {
    position: 'relative',
    boxSizing: 'border-box',
    width: PAGE_WIDTH,
    height: pageHeight(panels),
    padding: `0 ${PADDING}px`,
    background: theme.colors.background.canvas,
    overflow: 'hidden',
  };
  return (
    <div style={page}>
      <Head scene={scene} />
      <div style={{ position: 'relative' }}>
        {panels.map((panel) => {
          const box = boxOf(panel.gridPos);
          return (
            <div key={panel.id} style={{ position: 'absolute', ...box }}>
              {panel.type === 'row' ? (
                <Row panel={panel} scene={scene} />
              ) : (
                <PanelBox panel={panel} scene={scene} frames={frames.get(panel.id) ?? []} box={box} />
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Head({ scene }: { scene: Scene }) {
  const theme = useTheme2();
  const box: CSSProperties = {
    display: 'inline-flex',
    alignItems: 'center',
    height: 32,
    padding: '0 10px',
    borderRadius: theme.shape.radius.default,
    border: `1px solid ${theme.components.input.borderColor}`,
    background: theme.components.input.background,
  };
  const label: CSSProperties = { ...box, fontWeight: 500, fontSize: 12, border: 0, background: theme.colors.background.secondary };
  const line: CSSProperties = { display: 'flex', alignItems: 'center', gap: 12 };
  const clock = (at: number, format: string) => dateTimeFormat(at, { timeZone: 'utc', format });
  return (
    <div style={{ display: 'flex', flexDirection: 'column', justifyContent: 'space-evenly', height: HEAD_HEIGHT }}>
      <div style={line}>
        <span style={{ fontSize: 18, fontWeight: 500 }}>{scene.dashboard.title}</span>
        <span style={{ ...box, marginLeft: 'auto' }}>
          {clock(scene.from, 'YYYY-MM-DD HH:mm:ss')} to {clock(scene.to, 'HH:mm:ss')} UTC
        </span>
      </div>
      <div style={line}>
        {scene.variables
          .filter(({ hidden }) => !hidden)
          .map((variable) => (
            <span key={variable.name} style={{ display: 'inline-flex' }}>
              <span style={label}>{variable.label}</span>
              <span style={{ ...box, minWidth: 60 }}>{variable.text}</span>
            </span>
          ))}
      </div>
    </div>
  );
}
