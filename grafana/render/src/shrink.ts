/** Makes a picture small enough for a repository: as many colours as its file may have bytes for. */

import { readFile, writeFile } from 'node:fs/promises';

import sharp from 'sharp';

/** Bytes of a picture, and the numbers of colours that are tried for it. */
const MOST_BYTES = 250_000;
const COLOURS = [256, 128, 64, 32];

/** @returns the file's size */
export async function shrink(file: string): Promise<number> {
  const picture = await readFile(file);
  let small = picture;
  for (const colours of COLOURS) {
    small = await sharp(picture).png({ palette: true, colours, dither: 0, effort: 10, compressionLevel: 9 }).toBuffer();
    if (small.length <= MOST_BYTES) {
      break;
    }
  }
  await writeFile(file, small);
  return small.length;
}
