/** Grafana's own transformations of data frames. */

import { type DataFrame, type DataTransformerConfig, standardTransformers, standardTransformersRegistry, transformDataFrame } from '@grafana/data';
import { uniqBy } from 'lodash';
import { firstValueFrom } from 'rxjs';

export function registerTransformations(): void {
  standardTransformersRegistry.setInit(() =>
    // One of them is listed under a former name too.
    uniqBy(Object.values(standardTransformers), 'id').map((transformation) => ({
      id: transformation.id,
      name: transformation.name,
      transformation: transformation as any,
      editor: (() => null) as any,
      imageDark: '',
      imageLight: '',
    })),
  );
}

export async function transformed(frames: DataFrame[], steps: DataTransformerConfig[] = []): Promise<DataFrame[]> {
  return steps.length ? firstValueFrom(transformDataFrame(steps, frames, { interpolate: (text) => text })) : frames;
}
