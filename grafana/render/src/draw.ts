/**
 * Draws every scene of a folder: `node built/draw.js SCENES PICTURES BROWSER [NAME ...]`.
 *
 * 1. The page's bundle and a scene are served on the loopback address.
 * 2. Chromium draws the page in the size of its grid, and takes a picture.
 * 3. The picture gets a palette, so that it is small.
 *
 * What a page writes to its console is told; an error there ends with exit code 1.
 */

import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { photograph } from './chromium';
import { PAGE_WIDTH, pageHeight, shownPanels } from './grid';
import type { Scene } from './scene';
import { servePage } from './server';
import { shrink } from './shrink';

const BUILT = dirname(fileURLToPath(import.meta.url));

async function draw(file: string, picture: string, browser: string): Promise<boolean> {
  const text = await readFile(file, 'utf8');
  const scene: Scene = JSON.parse(text);
  const page = await servePage(join(BUILT, '..', 'node_modules'), BUILT, text);
  try {
    const height = pageHeight(shownPanels(scene.dashboard.panels));
    const said = await photograph(browser, page.url, PAGE_WIDTH, height, picture);
    said.forEach((line) => console.error(line));
    console.log(`${picture}: ${Math.round((await shrink(picture)) / 1000)} kB`);
    return !said.some((line) => /Uncaught|Error/.test(line));
  } finally {
    page.close();
  }
}

const [scenes, pictures, browser, ...names] = process.argv.slice(2);
if (!scenes || !pictures || !browser) {
  throw new Error('which SCENES, PICTURES and BROWSER?');
}
await mkdir(pictures, { recursive: true });
const files = (await readdir(scenes)).filter((file) => file.endsWith('.json')).sort();
for (const file of files) {
  const name = basename(file, '.json');
  if (!names.length || names.includes(name)) {
    if (!(await draw(join(scenes, file), resolve(pictures, `${name}.png`), browser))) {
      process.exitCode = 1;
    }
  }
}
