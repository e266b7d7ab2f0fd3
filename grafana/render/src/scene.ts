/** What is drawn: a dashboard as Grafana stores it, and what its data sources answered. */

import type { DataTransformerConfig, FieldConfigSource } from '@grafana/data';

export interface GridPos {
  /** Columns, of 24. */
  x: number;
  w: number;
  /** Rows of 30 pixels. */
  y: number;
  h: number;
}

export interface Panel {
  id: number;
  type: string;
  title?: string;
  description?: string;
  gridPos: GridPos;
  transparent?: boolean;
  collapsed?: boolean;
  fieldConfig?: FieldConfigSource;
  // Each kind of panel has its own; it is Grafana's components that read them.
  options?: any;
  transformations?: DataTransformerConfig[];
  /** The panels of a row that is collapsed. */
  panels?: Panel[];
}

export interface Dashboard {
  title: string;
  panels: Panel[];
  tags?: string[];
  links?: Array<{ title: string; type: string }>;
}

/** What one query of a panel came to. */
export type Answer = PrometheusAnswer | PostgresAnswer;

export interface PrometheusAnswer {
  source: 'prometheus';
  refId: string;
  legendFormat?: string;
  format?: 'time_series' | 'table' | 'heatmap';
  instant: boolean;
  /** Milliseconds between two points. */
  step: number;
  expr: string;
  /** `data.result` of the HTTP API. */
  result: Array<{
    metric: Record<string, string>;
    value?: [number, string];
    values?: Array<[number, string]>;
  }>;
}

export interface PostgresAnswer {
  source: 'postgres';
  refId: string;
  format: 'time_series' | 'table';
  columns: Array<{ name: string; type: 'time' | 'number' | 'string' | 'boolean' }>;
  /** Times are milliseconds since the epoch. */
  rows: Array<Array<number | string | boolean | null>>;
}

/** A variable as the page's head shows it. */
export interface Variable {
  name: string;
  label: string;
  text: string;
  value: string;
  hidden: boolean;
}

export interface Scene {
  dashboard: Dashboard;
  variables: Variable[];
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
  /** By the panel's id. */
  answers: Record<string, Answer[]>;
}
