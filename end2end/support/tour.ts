import { join } from 'node:path';
import { type Browser, type Page, expect } from '@playwright/test';
import type { Build } from './build';
import { type Files, MiB } from './files';
import { dropKept } from './handles';
import { HOSTS } from './hosts';
import { Library } from './library';
import type { Server } from './server';
import { Uploads } from './uploads';
import type { Wire } from './wire';

/** The screens on which every page is looked at. */
export const SIZES = {
  wide: { viewport: { width: 1280, height: 800 } },
  narrow: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
};
export type Size = keyof typeof SIZES;
export const THEMES = ['light', 'dark'] as const;

type Around = { browser: Browser; server: Server; wire: (rate?: number) => Promise<Wire>; files: Files };

/** Is shown a page in a state, which has a name. */
export type Look = (name: string, page: Page) => Promise<void>;

/** Leads through every page and every state that one browser can bring about, and has each looked at. */
export async function tour({ browser, server, wire, files }: Around, size: Size, look: Look) {
  const line = await wire(6 * MiB);
  const context = await browser.newContext({ baseURL: line.url, reducedMotion: 'reduce', ...SIZES[size] });
  await context.addInitScript(HOSTS.worker);
  const page = await context.newPage();
  const uploads = new Uploads(page);
  const visit = async (path: string) => {
    const alive = page.waitForEvent('worker');
    await page.goto(path);
    await alive;
  };

  await visit('/files');
  await look('files-empty', page);
  await visit('/live');
  await expect(uploads.connection).toHaveAttribute('data-connection', 'open');
  await look('live-empty', page);
  await visit('/nowhere');
  await look('not-found', page);
  await visit('/?shared=not');
  await look('uploads-share-failed', page);
  await visit('/');
  await look('uploads-empty', page);

  // All that a row can be.
  await uploads.pick([
    { name: 'picture.png', mimeType: 'image/png', buffer: await picture(page) },
    { name: 'Протокол заседания 例.txt', mimeType: 'text/plain', buffer: Buffer.from('words') },
  ]);
  await files.text('Journey/2026/Tuscany/notes.md', 'by train');
  await uploads.pickFolder(join(files.folder, 'Journey'));
  await uploads.arrived(3);
  const long = `A recording with a very long name that says everything about it ${'and more '.repeat(6)}in the end.tar.gz`;
  const paused = await files.random('interview.wav', 40 * MiB);
  await uploads.pick([await files.random('holiday.mp4', 60 * MiB), paused, await files.random(long, 80 * MiB)]);
  await uploads.reaches('interview.wav', 3);
  await uploads.button('interview.wav', 'Pause').click();
  await uploads.reaches('holiday.mp4', 8);
  // Whoever looks slowly finds it still under way.
  line.rate = MiB;
  await look('uploads-sending', page);
  await uploads.button('holiday.mp4', 'Cancel').click();
  await look('uploads-question', page);
  await page.keyboard.press('Escape');
  const running = await uploads.id('holiday.mp4');

  const watcher = await context.newPage();
  await watcher.goto('/live');
  await expect(watcher.locator('[data-connection]')).toHaveAttribute('data-connection', 'open');
  await expect(watcher.locator('[data-state=receiving]')).toHaveCount(2);
  await look('live', watcher);
  await watcher.goto(`/f/${running}`);
  await expect(watcher.locator('[data-connection]')).toHaveAttribute('data-connection', 'open');
  await look('file-arriving', watcher);
  await watcher.close();

  line.down();
  await expect(uploads.connection).toContainText(/Next try in [2-9] s/, { timeout: 60_000 });
  // Not where a row is half below the header.
  await page.evaluate(() => scrollTo(0, 0));
  await look('uploads-waiting', page);
  line.up();
  await uploads.expectConnection('open');
  await page.reload();
  await uploads.expectState('holiday.mp4', 'needs-file');
  await uploads.pickAgain('holiday.mp4', await files.random('other/holiday.mp4', 60 * MiB));
  await expect(uploads.row('holiday.mp4')).toContainText('not the same file');
  await look('uploads-needs-file', page);

  const stored = await (await context.request.get('/files')).text();
  const id = /href="\/f\/([\w-]{22})"[^>]*title="[^"]*Протокол/.exec(stored)![1];
  await visit('/files');
  await look('files', page);
  const library = new Library(page);
  const renaming = await library.ask('Rename', 'notes.md');
  await look('files-rename', page);
  await renaming.locator('summary').click();
  await visit('/files?q=nothing');
  await look('files-nothing-found', page);
  await visit(`/f/${id}`);
  await look('file-stored', page);
  await context.close();

  const plain = await browser.newContext({ baseURL: server.url, ...SIZES[size], javaScriptEnabled: false });
  const without = await plain.newPage();
  await without.goto('/');
  await look('without-scripts', without);
  await plain.close();
}

type Person = { page: Page; uploads: Uploads; wire: (rate?: number) => Promise<Wire>; files: Files };

/** After a reload without any worker, with a handle that has to be asked for: one click. */
export async function toOneClick({ page, uploads, wire, files }: Person) {
  const line = await wire(4 * MiB);
  await page.addInitScript(() => {
    (FileSystemFileHandle.prototype as any).queryPermission = async () => 'prompt';
  });
  await page.goto(line.url);
  await dropKept(page, await files.random('holiday.mp4', 40 * MiB));
  await uploads.reaches('holiday.mp4', 30);
  await page.reload();
  await expect(uploads.button('holiday.mp4', 'Continue')).toBeVisible();
}

/** After a deploy another tab has taken over. */
export async function toOutdated({ page, uploads, wire, files }: Person, server: Server, build: Build) {
  const line = await wire(4 * MiB);
  await page.goto(line.url);
  await uploads.pick(await files.random('holiday.mp4', 80 * MiB));
  await uploads.reaches('holiday.mp4', 10);
  await server.stop();
  server.program = build.program;
  await server.start();
  await (await page.context().newPage()).goto(line.url);
  await uploads.expectConnection('outdated');
}

/** The options of a server with limits. */
export const LIMITS = ['--max-file-size', '1MB', '--accept', 'image/*,.pdf', '--max-entries', '20'];

/** Files that break them, and one that does not. */
export async function toLimits({ page, uploads, files }: Person) {
  await page.goto('/');
  await uploads.pick([await files.random('large.pdf', 2 * MiB), await files.text('notes.txt', 'words'), await files.text('small.pdf', 'words')]);
  await uploads.arrives('small.pdf');
}

/** The first page and its rows as a reader of Chinese has them. */
export async function inChinese({ page, wire, files }: Person, look: Look) {
  const line = await wire(4 * MiB);
  await page.goto(line.url);
  await look('chinese-empty', page);
  const pick = page.getByLabel('选择文件', { exact: true });
  await pick.setInputFiles(await files.text('会议记录.txt', 'words'));
  await expect(page.locator('[data-state=stored]')).toHaveCount(1);
  await pick.setInputFiles(await files.random('假期.mp4', 80 * MiB));
  await expect(page.locator('[data-state=sending] .facts')).toContainText('还需');
  await look('chinese', page);
  await page.goto('/files');
  await look('chinese-files', page);
}

/** A picture with something on it. */
async function picture(page: Page): Promise<Buffer> {
  const url = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
    const draw = canvas.getContext('2d')!;
    const sky = draw.createLinearGradient(0, 0, 0, 240);
    sky.addColorStop(0, '#2b5876');
    sky.addColorStop(1, '#f7b267');
    draw.fillStyle = sky;
    draw.fillRect(0, 0, 320, 240);
    draw.fillStyle = '#fff4d6';
    draw.arc(220, 130, 40, 0, 7);
    draw.fill();
    return canvas.toDataURL('image/png');
  });
  return Buffer.from(url.split(',')[1], 'base64');
}
