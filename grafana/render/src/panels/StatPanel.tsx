/** Big numbers. */

import { getDisplayValueAlignmentFactors, getFieldDisplayValues } from '@grafana/data';
import { BigValue, useTheme2, VizRepeater } from '@grafana/ui';

import type { PanelProps } from '../panelProps';

export function StatPanel({ options, fieldConfig, frames, replace, timeRange, width, height }: PanelProps) {
  const theme = useTheme2();
  const values = () =>
    getFieldDisplayValues({
      data: frames,
      fieldConfig,
      reduceOptions: options.reduceOptions,
      replaceVariables: replace,
      theme,
      timeZone: 'utc',
      sparkline: options.graphMode !== 'none',
      percentChange: options.showPercentChange,
    });
  return (
    <VizRepeater
      getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, alignmentFactors, count, ...size }) => (
        <BigValue
          value={value.display}
          count={count}
          sparkline={value.sparkline && { ...value.sparkline, timeRange }}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode}
          text={options.text}
          disableWideLayout={!options.wideLayout}
          alignmentFactors={alignmentFactors}
          theme={theme}
          width={size.width}
          height={size.height}
        />
      )}
      source={frames}
      renderCounter={0}
      orientation={options.orientation}
      itemSpacing={3}
      autoGrid
      width={width}
      height={height}
    />
  );
}
