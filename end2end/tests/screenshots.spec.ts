import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { dropKept } from '../support/handles';
import { HOSTS } from '../support/hosts';
import { Library } from '../support/library';
import { MiB, expect, test } from '../support/test';
import { Uploads } from '../support/uploads';

const folder = join(__dirname, '../screenshots');

test.describe('pictures of every page @screenshots', () => {
  for (const [size, width, height] of [['wide', 1280, 800], ['narrow', 390, 844]] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      test(`${size}, ${colorScheme}`, async ({ browser, server, wire, files }) => {
        test.setTimeout(180_000);
        const line = await wire(6 * MiB);
        const context = await browser.newContext({
          baseURL: line.url, viewport: { width, height }, colorScheme, reducedMotion: 'reduce',
          ...(size === 'narrow' ? { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } : {}),
        });
        await context.addInitScript(HOSTS.worker);
        const page = await context.newPage();
        const uploads = new Uploads(page);
        const shoot = async (name: string, of: Page = page) => {
          // A screen as high as the page: for a picture of the full page the browser would
          // forget that it is a phone.
          const content = await of.evaluate(() => document.documentElement.scrollHeight);
          await of.setViewportSize({ width, height: Math.max(height, content) });
          await of.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
          await of.setViewportSize({ width, height });
        };
        const visit = async (path: string) => {
          const alive = page.waitForEvent('worker');
          await page.goto(path);
          await alive;
        };

        await visit('/files');
        await shoot('files-empty');
        await visit('/live');
        await expect(uploads.connection).toHaveAttribute('data-connection', 'open');
        await shoot('live-empty');
        await visit('/nowhere');
        await shoot('not-found');
        await visit('/');
        await shoot('uploads-empty');

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
        await shoot('uploads-sending');
        await uploads.button('holiday.mp4', 'Cancel').click();
        await shoot('uploads-question');
        await page.keyboard.press('Escape');
        const running = await uploads.id('holiday.mp4');

        const watcher = await context.newPage();
        await watcher.goto('/live');
        await expect(watcher.locator('[data-connection]')).toHaveAttribute('data-connection', 'open');
        await expect(watcher.locator('[data-state=receiving]')).toHaveCount(2);
        await shoot('live', watcher);
        await watcher.goto(`/f/${running}`);
        await expect(watcher.locator('[data-connection]')).toHaveAttribute('data-connection', 'open');
        await shoot('file-arriving', watcher);
        await watcher.close();

        line.down();
        await expect(uploads.connection).toContainText(/Next try in [2-9] s/, { timeout: 60_000 });
        await shoot('uploads-waiting');
        line.up();
        await uploads.connection.getByRole('button', { name: 'Try now' }).click();
        await uploads.expectConnection('open');
        await page.reload();
        await uploads.expectState('holiday.mp4', 'needs-file');
        await uploads.pickAgain('holiday.mp4', await files.random('other/holiday.mp4', 60 * MiB));
        await expect(uploads.row('holiday.mp4')).toContainText('not the same file');
        await shoot('uploads-needs-file');

        const stored = await (await context.request.get('/files')).text();
        const id = /href="\/f\/([\w-]{22})"[^>]*title="[^"]*Протокол/.exec(stored)![1];
        await visit('/files');
        await shoot('files');
        const library = new Library(page);
        const renaming = await library.ask('Rename', 'notes.md');
        await shoot('files-rename');
        await renaming.locator('summary').click();
        await visit('/files?q=nothing');
        await shoot('files-nothing-found');
        await visit(`/f/${id}`);
        await shoot('file-stored');
        await context.close();

        const plain = await browser.newContext({ baseURL: server.url, viewport: { width, height }, colorScheme, javaScriptEnabled: false });
        const without = await plain.newPage();
        await without.goto('/');
        await shoot('without-scripts', without);
        await plain.close();
      });
    }
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    const both = async (page: Page, name: string) => {
      for (const [size, width, height] of [['wide', 1280, 800], ['narrow', 390, 844]] as const) {
        await page.setViewportSize({ width, height });
        await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      }
    };

    test.describe('in Chinese', () => {
      test.use({ colorScheme, locale: 'zh-CN' });
      test(`in Chinese, ${colorScheme}`, async ({ page, wire, files }) => {
        const line = await wire(4 * MiB);
        await page.goto(line.url);
        await both(page, 'chinese-empty');
        const pick = page.getByLabel('选择文件', { exact: true });
        await pick.setInputFiles(await files.text('会议记录.txt', 'words'));
        await expect(page.locator('[data-state=stored]')).toHaveCount(1);
        await pick.setInputFiles(await files.random('假期.mp4', 80 * MiB));
        await expect(page.locator('[data-state=sending] .facts')).toContainText('还需');
        await both(page, 'chinese');
        await page.goto('/files');
        await both(page, 'chinese-files');
      });
    });

    test.describe('after a reload', () => {
      test.use({ host: 'page', colorScheme });
      test(`one click, ${colorScheme}`, async ({ page, uploads, wire, files }) => {
        const line = await wire(4 * MiB);
        await page.addInitScript(() => {
          (FileSystemFileHandle.prototype as any).queryPermission = async () => 'prompt';
        });
        await page.goto(line.url);
        await dropKept(page, await files.random('holiday.mp4', 40 * MiB));
        await uploads.reaches('holiday.mp4', 30);
        await page.reload();
        await expect(uploads.button('holiday.mp4', 'Continue')).toBeVisible();
        await both(page, 'uploads-one-click');
      });
    });

    test.describe('after a deploy', () => {
      test.use({ colorScheme });
      test(`another version, ${colorScheme}`, async ({ page, context, uploads, server, build, wire, files }) => {
        const line = await wire(4 * MiB);
        await page.goto(line.url);
        await uploads.pick(await files.random('holiday.mp4', 80 * MiB));
        await uploads.reaches('holiday.mp4', 10);
        await server.stop();
        server.program = build.program;
        await server.start();
        await (await context.newPage()).goto(line.url);
        await uploads.expectConnection('outdated');
        await both(page, 'uploads-outdated');
      });
    });

    test.describe('limits', () => {
      test.use({ options: ['--max-file-size', '1MB', '--accept', 'image/*,.pdf', '--max-entries', '20'], colorScheme });
      test(`limits, ${colorScheme}`, async ({ page, uploads, files }) => {
        await page.goto('/');
        await uploads.pick([await files.random('large.pdf', 2 * MiB), await files.text('notes.txt', 'words'), await files.text('small.pdf', 'words')]);
        await uploads.arrives('small.pdf');
        await both(page, 'uploads-limits');
      });
    });
  }
});

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
