/** One panel in Grafana's chrome: title, description, and what its kind draws. */

import { type DataFrame, dateTime, type TimeRange } from '@grafana/data';
import { PanelChrome, useTheme2 } from '@grafana/ui';
import { type ComponentType, useMemo } from 'react';

import { fieldConfigOf, optionsOf } from './defaults';
import type { Box } from './grid';
import type { PanelProps } from './panelProps';
import { BarGaugePanel } from './panels/BarGaugePanel';
import { StatPanel } from './panels/StatPanel';
import { TablePanel } from './panels/TablePanel';
import { TextPanel } from './panels/TextPanel';
import { TimeSeriesPanel } from './panels/TimeSeriesPanel';
import type { Panel, Scene } from './scene';
import { interpolator } from './variables';

const KINDS: Record<string, ComponentType<PanelProps>> = {
  bargauge: BarGaugePanel,
  stat: StatPanel,
  table: TablePanel,
  text: TextPanel,
  timeseries: TimeSeriesPanel,
};

interface Props {
  panel: Panel;
  scene: Scene;
  frames: DataFrame[];
  box: Box;
}

export function PanelBox({ panel, scene, frames, box }: Props) {
  const replace = useMemo(() => interpolator(scene), [scene]);
  const Kind = KINDS[panel.type];
  if (!Kind) {
    throw new Error(`panel ${panel.id} is a ${panel.type}; drawn are ${Object.keys(KINDS).join(', ')}`);
  }
  const filled = panel.type === 'text' || frames.some(({ length, fields }) => length && fields.length);
  const title = replace(panel.title ?? '');
  return (
    <PanelChrome
      title={title}
      description={panel.description}
      width={box.width}
      height={box.height}
      hoverHeader={!title}
      padding={panel.type === 'table' && filled ? 'none' : 'md'}
      displayMode={panel.transparent ? 'transparent' : 'default'}
    >
      {(width, height) =>
        filled ? (
          <Kind
            options={optionsOf(panel.type, panel.options)}
            fieldConfig={fieldConfigOf(panel.type, panel.fieldConfig)}
            frames={frames}
            timeRange={rangeOf(scene)}
            replace={replace}
            width={width}
            height={height}
          />
        ) : (
          <NoData noValue={panel.fieldConfig?.defaults.noValue} height={height} />
        )
      }
    </PanelChrome>
  );
}

function NoData({ noValue, height }: { noValue?: string; height: number }) {
  const theme = useTheme2();
  const style = { display: 'flex', alignItems: 'center', justifyContent: 'center', height, color: theme.colors.text.secondary };
  return <div style={style}>{noValue ?? 'No data'}</div>;
}

function rangeOf({ from, to }: Scene): TimeRange {
  const [start, end] = [dateTime(from), dateTime(to)];
  return { from: start, to: end, raw: { from: start, to: end } };
}
