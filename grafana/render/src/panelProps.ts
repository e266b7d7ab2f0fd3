/** What each kind of panel is given. */

import type { DataFrame, FieldConfigSource, InterpolateFunction, TimeRange } from '@grafana/data';

export interface PanelProps {
  // The panel's own options, with Grafana's defaults.
  options: any;
  fieldConfig: FieldConfigSource;
  frames: DataFrame[];
  timeRange: TimeRange;
  replace: InterpolateFunction;
  width: number;
  height: number;
}
