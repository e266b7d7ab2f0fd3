/** Bars, one for each value. */

import { type FieldDisplay, getDisplayValueAlignmentFactors, getFieldDisplayValues, VizOrientation } from '@grafana/data';
import { BarGauge, useTheme2, VizRepeater } from '@grafana/ui';

import type { PanelProps } from '../panelProps';

/** Pixels of a bar with its name above, and without a name. */
const MIN_HEIGHT_NAMED = 30;

export function BarGaugePanel({ options, fieldConfig, frames, replace, width, height }: PanelProps) {
  const theme = useTheme2();
  const values = () =>
    getFieldDisplayValues({
      data: frames,
      fieldConfig,
      reduceOptions: options.reduceOptions,
      replaceVariables: replace,
      theme,
      timeZone: 'utc',
    });
  const named = options.namePlacement === 'top' ? MIN_HEIGHT_NAMED : options.minVizHeight;
  const needed = values().length * (named + 10);
  return (
    <VizRepeater<FieldDisplay, ReturnType<typeof getDisplayValueAlignmentFactors>>
      getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, alignmentFactors, orientation, ...size }) => (
        <BarGauge
          value={value.display}
          field={value.field}
          display={value.colIndex === undefined ? undefined : value.view?.getFieldDisplayProcessor(value.colIndex)}
          orientation={orientation}
          displayMode={options.displayMode}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
          showUnfilled={options.showUnfilled}
          text={options.text}
          itemSpacing={8}
          lcdCellWidth={12}
          isOverflow={orientation === VizOrientation.Horizontal && needed > height}
          alignmentFactors={alignmentFactors}
          theme={theme}
          width={size.width}
          height={size.height}
        />
      )}
      source={frames}
      renderCounter={0}
      orientation={options.orientation}
      itemSpacing={10}
      minVizWidth={options.minVizWidth}
      minVizHeight={named}
      maxVizHeight={options.maxVizHeight}
      width={width}
      height={height}
    />
  );
}
