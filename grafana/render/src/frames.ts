/** Answers of data sources as Grafana's data frames, shaped as its own data source plugins shape them. */

import { type DataFrame, type Field, FieldType, type Labels, toDataFrame } from '@grafana/data';

import type { Answer, PostgresAnswer, PrometheusAnswer } from './scene';

export function framesOf(answers: Answer[]): DataFrame[] {
  const several = answers.length > 1;
  return answers.flatMap((answer) => {
    if (answer.source === 'postgres') {
      return [postgresFrame(answer)];
    }
    return answer.format === 'table' ? tableFrames(answer, several) : seriesFrames(answer);
  });
}

function seriesFrames(answer: PrometheusAnswer): DataFrame[] {
  return answer.result.map(({ metric, value, values }) => {
    const points = values ?? (value ? [value] : []);
    const displayNameFromDS = legend(answer, metric);
    return toDataFrame({
      refId: answer.refId,
      name: displayNameFromDS,
      meta: { type: 'timeseries-multi' },
      fields: [
        timeField(points.map(([at]) => at * 1000), answer.step),
        {
          name: 'Value',
          type: FieldType.number,
          labels: named(metric),
          config: { displayNameFromDS },
          values: points.map(([, text]) => numberOf(text)),
        },
      ],
    });
  });
}

/** One frame with a column for each label; a query without an answer has none. */
function tableFrames(answer: PrometheusAnswer, several: boolean): DataFrame[] {
  const rows = answer.result.flatMap(({ metric, value, values }) =>
    (values ?? (value ? [value] : [])).map(([at, text]) => ({ metric, at: at * 1000, value: numberOf(text) })),
  );
  if (!rows.length) {
    return [];
  }
  const labels = [...new Set(rows.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const columns = labels.map((label) => ({
    name: label,
    type: FieldType.string,
    config: {},
    values: rows.map(({ metric }) => metric[label] ?? ''),
  }));
  const value = {
    name: several ? `Value #${answer.refId}` : 'Value',
    type: FieldType.number,
    config: {},
    values: rows.map((row) => row.value),
  };
  return [
    toDataFrame({ refId: answer.refId, fields: [timeField(rows.map(({ at }) => at), answer.step), ...columns, value] }),
  ];
}

function postgresFrame(answer: PostgresAnswer): DataFrame {
  const fields = answer.columns.map(({ name, type }, place) => ({
    name,
    type: FieldType[type],
    config: {},
    values: answer.rows.map((row) => row[place]),
  }));
  return answer.format === 'time_series' ? wide(answer, fields) : toDataFrame({ refId: answer.refId, fields });
}

/** A row for each time, a field for each metric: what the PostgreSQL plugin makes of long rows. */
function wide(answer: PostgresAnswer, fields: Array<Partial<Field> & { values: any[] }>): DataFrame {
  const time = fields.find(({ type }) => type === FieldType.time);
  const names = fields.find(({ type }) => type === FieldType.string);
  if (!time || !names) {
    return toDataFrame({ refId: answer.refId, fields });
  }
  const times = [...new Set(time.values)];
  const value = fields.find(({ type }) => type === FieldType.number);
  const columns = [...new Set(names.values)].map((name) => {
    const at = new Map(time.values.flatMap((when, row) => (names.values[row] === name ? [[when, value?.values[row]]] : [])));
    return { name, type: FieldType.number, config: { displayNameFromDS: name }, values: times.map((when) => at.get(when) ?? null) };
  });
  return toDataFrame({ refId: answer.refId, fields: [{ ...time, values: times }, ...columns] });
}

function timeField(values: number[], interval: number): Partial<Field> & { values: number[] } {
  // The interval is how Grafana knows where points are missing.
  return { name: 'Time', type: FieldType.time, config: { interval }, values };
}

function legend({ legendFormat, expr }: PrometheusAnswer, metric: Labels): string | undefined {
  if (!legendFormat || legendFormat === '__auto') {
    return Object.keys(named(metric)).length ? undefined : expr;
  }
  return legendFormat.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => metric[label] ?? label);
}

function named({ __name__: _, ...labels }: Labels): Labels {
  return labels;
}

/** NaN is drawn as a gap, as Grafana does. */
function numberOf(text: string): number | null {
  const number = Number(text.replace('Inf', 'Infinity'));
  return Number.isNaN(number) ? null : number;
}
