/** Takes a picture of a page with a headless Chromium that reaches nothing but this machine. */

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Milliseconds after which a browser that hangs is ended. */
const PATIENCE_MS = 180_000;

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--hide-scrollbars',
  '--force-device-scale-factor=1',
  '--lang=en-US',
  '--enable-logging=stderr',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** A library of Grafana's greets whoever looks at the console. */
const GREETING = 'i18next is made possible by';

/** @returns what the page wrote to its console */
export async function photograph(browser: string, url: string, width: number, height: number, file: string): Promise<string[]> {
  const profile = await mkdtemp(join(tmpdir(), 'jobfleet-chromium-'));
  try {
    const own = [`--user-data-dir=${profile}`, `--window-size=${width},${height}`, `--screenshot=${file}`, url];
    return consoleLines(await run(browser, [...FLAGS, ...own]));
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

function run(browser: string, flags: string[]): Promise<string> {
  return new Promise((done, fail) => {
    const process = spawn(browser, flags, { stdio: ['ignore', 'ignore', 'pipe'], timeout: PATIENCE_MS, killSignal: 'SIGKILL' });
    let said = '';
    process.stderr.on('data', (text) => (said += text));
    process.on('error', fail);
    process.on('close', (status) => (status ? fail(new Error(`${browser} ended with ${status}: ${said.slice(-2000)}`)) : done(said)));
  });
}

function consoleLines(said: string): string[] {
  return said.split('\n').filter((line) => line.includes(':CONSOLE') && !line.includes(GREETING));
}
