/** Rows and columns; of several frames the first is shown, as in Grafana. */

import { TableNG } from '@grafana/ui/unstable';

import type { PanelProps } from '../panelProps';

export function TablePanel({ options, fieldConfig, frames, timeRange, width, height }: PanelProps) {
  return (
    <TableNG
      data={frames[0]}
      fieldConfig={fieldConfig}
      timeRange={timeRange}
      noHeader={!options.showHeader}
      initialSortBy={options.sortBy}
      cellHeight={options.cellHeight}
      enablePagination={options.enablePagination}
      frozenColumns={options.frozenColumns?.left}
      resizable
      enableVirtualization={false}
      structureRev={1}
      width={width}
      height={height}
    />
  );
}
