/** Variables in titles, texts and links. Queries are interpolated before they are asked. */

import type { InterpolateFunction } from '@grafana/data';

import type { Scene } from './scene';

const VARIABLE = /\$(\w+)|\$\{([\w.]+)(?::(\w+))?\}/g;

export function interpolator({ variables }: Scene): InterpolateFunction {
  return (text, scoped) =>
    text.replace(VARIABLE, (whole, plain, braced) => {
      const name = plain ?? braced;
      const local = scoped?.[name];
      return local ? String(local.text ?? local.value) : (variables.find((variable) => variable.name === name)?.text ?? whole);
    });
}
