/** Where panels are: Grafana's grid of 24 columns, in pixels. */

import type { GridPos, Panel } from './scene';

/** Pixels; as in Grafana. */
const ROW_HEIGHT = 30;
const GAP = 8;
const COLUMNS = 24;

export const PAGE_WIDTH = 1400;
export const PADDING = 16;
export const HEAD_HEIGHT = 104;

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const COLUMN_WIDTH = (PAGE_WIDTH - 2 * PADDING - GAP * (COLUMNS - 1)) / COLUMNS;

export function boxOf({ x, y, w, h }: GridPos): Box {
  return {
    left: Math.round(x * (COLUMN_WIDTH + GAP)),
    top: y * (ROW_HEIGHT + GAP),
    width: Math.round(w * COLUMN_WIDTH + (w - 1) * GAP),
    height: h * ROW_HEIGHT + (h - 1) * GAP,
  };
}

/** Height of a whole page with these panels. */
export function pageHeight(panels: Panel[]): number {
  const ends = panels.map(({ gridPos }) => boxOf(gridPos)).map(({ top, height }) => top + height);
  return HEAD_HEIGHT + Math.max(0, ...ends) + PADDING;
}

/** Every panel that is shown, those of open rows included. */
export function shownPanels(panels: Panel[]): Panel[] {
  return panels.flatMap((panel) => (panel.type === 'row' && !panel.collapsed ? [panel, ...(panel.panels ?? [])] : [panel]));
}
