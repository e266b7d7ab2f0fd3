/** Serves one page to one browser on a free port of the loopback address. */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** Where Grafana's components expect fonts, and where the fonts' packages have them. */
const FONTS: Record<string, string> = {
  '/public/fonts/inter/Inter-Regular.woff2': 'inter/files/inter-latin-400-normal.woff2',
  '/public/fonts/inter/Inter-Medium.woff2': 'inter/files/inter-latin-500-normal.woff2',
  '/public/fonts/roboto/L0xTDF4xlVMF-BfR8bXMIhJHg45mwgGEFl0_3vrtSM1J-gEPT5Ese6hmHSh0mQ.woff2':
    'roboto-mono/files/roboto-mono-latin-400-normal.woff2',
};
const ICONS = '/public/build/img/icons/';
const TYPES: Record<string, string> = { svg: 'image/svg+xml', js: 'text/javascript', json: 'application/json', html: 'text/html', css: 'text/css' };

/** Named here too, so that the fonts can be waited for before text is measured. */
const FACES = Object.keys(FONTS)
  .slice(0, 2)
  .map((url, place) => `@font-face { font-family: Inter; font-weight: ${400 + 100 * place}; src: url(${url}); }`)
  .join('\n');
const HTML = `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/page.css"><style>${FACES}</style><div id="root"></div><img src="/held.svg" alt=""><script src="/page.js"></script>`;
/** Chromium takes its picture when everything is loaded: this image is, once the page has said that it is drawn. */
const HELD = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>';

export interface Page {
  url: string;
  close(): void;
}

/**
 * @param modules the folder node_modules
 * @param built the folder of the page's script and styles
 * @param scene what it draws, as JSON
 */
export async function servePage(modules: string, built: string, scene: string): Promise<Page> {
  let sayDrawn = () => {};
  const drawn = new Promise<void>((said) => (sayDrawn = said));
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://page').pathname;
    try {
      const body = await content(path);
      response.setHeader('content-type', TYPES[path === '/' ? 'html' : (path.split('.').pop() ?? '')] ?? 'application/octet-stream');
      response.end(body);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });

  async function content(path: string): Promise<string | Buffer> {
    if (path === '/') {
      return HTML;
    }
    if (path === '/page.js' || path === '/page.css') {
      return readFile(join(built, path));
    }
    if (path === '/scene.json') {
      return scene;
    }
    if (path === '/drawn') {
      sayDrawn();
      return '';
    }
    if (path === '/held.svg') {
      await drawn;
      return HELD;
    }
    const file = FONTS[path] ? join('@fontsource', FONTS[path]) : icon(path);
    return readFile(join(modules, file));
  }

  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}

function icon(path: string): string {
  const name = path.slice(ICONS.length);
  if (!path.startsWith(ICONS) || !/^[a-z]+\/[a-z-]+\.svg$/.test(name)) {
    throw new Error(`nothing is served as ${path}`);
  }
  return join('@grafana/ui/dist/public/img/icons', name);
}
