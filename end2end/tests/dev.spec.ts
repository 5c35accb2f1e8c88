import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test as base } from '@playwright/test';
import { Files } from '../support/files';
import { freePort, ownEnvironment } from '../support/server';
import { MiB, b3sum, expect, state } from '../support/test';
import { Uploads } from '../support/uploads';
import { Wire } from '../support/wire';

const ROOT = join(__dirname, '../..');

/** `make dev` in a copy of the sources, so that those of the developer stay as they are. */
class Development {
  readonly lines: string[] = [];
  /** How often a server came up. */
  starts = 0;
  #child?: ChildProcess;

  private constructor(readonly folder: string, readonly port: number) {}

  static async start(): Promise<Development> {
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-dev-'));
    const paths = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' });
    for (const path of paths.trim().split('\n')) await cp(join(ROOT, path), join(folder, path));
    const self = new Development(folder, await freePort());
    const reload = await freePort();
    // In a group of its own: cargo-leptos starts others, which end with it.
    const child = spawn('make', ['dev'], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...ownEnvironment(),
        LONGHAUL_LISTEN: `127.0.0.1:${self.port}`,
        LEPTOS_SITE_ADDR: `127.0.0.1:${self.port}`,
        LEPTOS_RELOAD_PORT: String(reload),
      },
    });
    self.#child = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface(stream).on('line', (line) => {
        self.lines.push(line);
        if (line.includes('Longhaul is at')) self.starts += 1;
      });
    }
    return self;
  }

  get data() {
    return join(this.folder, 'data');
  }

  /** Waits until a server has come up so often. */
  async started(times: number) {
    const failed = () => this.lines.find((line) => line.includes('could not compile'));
    await expect
      .poll(() => failed() ?? this.starts >= times, { timeout: 20 * 60_000, message: 'a server comes up' })
      .not.toBe(false);
    expect(failed()).toBe(undefined);
  }

  /** Saves words that are in both programs, others every time. */
  async save(words: string) {
    const path = join(this.folder, 'locales/en.json');
    const source = await readFile(path, 'utf8');
    await writeFile(path, source.replace(/Skip to [^"]*/, words));
  }

  async dispose() {
    const child = this.#child;
    if (child?.pid && child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      process.kill(-child.pid, 'SIGTERM');
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const test = base.extend<{ dev: Development; files: Files }>({
  dev: async ({}, use, info) => {
    const dev = await Development.start();
    await use(dev);
    await info.attach('make-dev.log', { body: dev.lines.join('\n'), contentType: 'text/plain' });
    await dev.dispose();
  },
  files: async ({}, use) => {
    const files = await Files.create();
    await use(files);
    await files.dispose();
  },
});

test('ten saves of a source during an upload: server and page come back, and it goes on @dev', async ({ page, dev, files }) => {
  test.setTimeout(40 * 60_000);
  await dev.started(1);
  const line = await Wire.to(dev.port, MiB);
  const uploads = new Uploads(page);
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(String(error)));
  let loads = 0;
  page.on('load', () => (loads += 1));

  const source = await files.random('film.mkv', 512 * MiB);
  await page.goto(line.url);
  await uploads.pick(source);
  await expect.poll(() => line.bytes, { timeout: 60_000 }).toBeGreaterThan(2 * MiB);
  const [starts, first] = [dev.starts, loads];
  for (let nth = 1; nth <= 10; nth += 1) {
    await dev.save(`Skip to saved ${nth} times`);
    // How fast a person saves is what this is about.
    await page.waitForTimeout(150);
  }
  await dev.started(starts + 1);
  const newest = page.getByRole('link', { name: 'Skip to saved 10 times' });
  await expect(newest, 'the page is loaded anew').toBeAttached({ timeout: 5 * 60_000 });
  const before = line.bytes;
  await expect.poll(() => line.bytes, { timeout: 60_000, message: 'the upload goes on' }).toBeGreaterThan(before + MiB);
  await uploads.expectState('film.mkv', 'sending');
  line.rate = Infinity;
  await uploads.arrives('film.mkv');
  expect(await b3sum(join(dev.data, 'files/film.mkv'))).toBe(await b3sum(source));

  state('servers that came up after ten saves', dev.starts - starts);
  state('times that the page was loaded', loads - first);
  const all = [...dev.lines, ...said].join('\n');
  expect(all).not.toMatch(/panicked|RuntimeError|already in CLOSING or CLOSED|closed socket/i);
  await line.dispose();
});
