/** Lines, areas and bars over time. */

import { TimeSeries } from '@grafana/ui';

import type { PanelProps } from '../panelProps';

export function TimeSeriesPanel({ options, frames, timeRange, width, height }: PanelProps) {
  return (
    <TimeSeries frames={frames} timeRange={timeRange} timeZone="utc" legend={options.legend} options={options} width={width} height={height} />
  );
}
