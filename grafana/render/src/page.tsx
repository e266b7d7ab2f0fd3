/** A dashboard in a browser: the scene is fetched, Grafana's registries are filled, everything is drawn at once. */

import { createTheme, type DataFrame, ThemeContext } from '@grafana/data';
import { GlobalStyles } from '@grafana/ui';
import { createRoot } from 'react-dom/client';

import { Board } from './Board';
import { fieldConfigOf } from './defaults';
import { configured, registerFields } from './fields';
import { framesOf } from './frames';
import { shownPanels } from './grid';
import type { Scene } from './scene';
import { registerTransformations, transformed } from './transform';

const theme = createTheme({ name: 'Dark', colors: { mode: 'dark' } });

/** Milliseconds, then frames, after which nothing on the page changes any more. */
const SETTLE_MS = 2_000;
const SETTLE_FRAMES = 5;

async function framesByPanel(scene: Scene): Promise<Map<number, DataFrame[]>> {
  const panels = shownPanels(scene.dashboard.panels).filter(({ type }) => type !== 'row');
  const configurations = panels.map(({ type, fieldConfig }) => fieldConfigOf(type, fieldConfig));
  registerTransformations();
  registerFields(configurations);
  const pairs = panels.map(async (panel, place): Promise<[number, DataFrame[]]> => {
    const frames = await transformed(framesOf(scene.answers[panel.id] ?? []), panel.transformations);
    return [panel.id, configured(frames, configurations[place], theme, scene)];
  });
  return new Map(await Promise.all(pairs));
}

async function draw(): Promise<void> {
  const scene: Scene = await (await fetch('/scene.json')).json();
  // "A minute ago" is told from the end of the window, not from the moment of the drawing.
  Date.now = () => scene.to;
  const frames = await framesByPanel(scene);
  // Text is measured before it is drawn, so the fonts must be there.
  await Promise.all(['14px', '500 14px'].map((font) => document.fonts.load(`${font} Inter`)));
  createRoot(document.getElementById('root')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Board scene={scene} frames={frames} />
    </ThemeContext.Provider>,
  );
  await settled();
}

/** Charts and tables measure themselves and draw again in the frames that follow. */
async function settled(): Promise<void> {
  await new Promise((later) => setTimeout(later, SETTLE_MS));
  for (let frame = 0; frame < SETTLE_FRAMES; frame++) {
    await new Promise((next) => requestAnimationFrame(next));
  }
}

// Also when it fails: the browser writes the error to its console, and does not wait in vain.
void draw().finally(() => fetch('/drawn'));
