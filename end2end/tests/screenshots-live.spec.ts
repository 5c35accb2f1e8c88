import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { ARGUMENTS, CHROMIUM } from '../support/chromium';
import { HOSTS } from '../support/hosts';
import { MiB, expect, test } from '../support/test';
import { Uploads } from '../support/uploads';

const folder = join(__dirname, '../screenshots');

test.use({
  options: ['--hosts', 'longhaul.example'],
  launchOptions: {
    executablePath: CHROMIUM,
    args: [...ARGUMENTS, '--host-resolver-rules=MAP longhaul.example 127.0.0.1'],
  },
});

test.describe('pictures of what moves @screenshots', () => {
  for (const [size, width, height] of [['wide', 1280, 800], ['narrow', 390, 844]] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      test(`${size}, ${colorScheme}`, async ({ browser, wire, files }) => {
        test.setTimeout(240_000);
        const line = await wire(5 * MiB);
        const there = line.url.replace('127.0.0.1', 'longhaul.example');
        const look = {
          viewport: { width, height }, colorScheme, reducedMotion: 'reduce' as const,
          ...(size === 'narrow' ? { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } : {}),
        };
        const context = await browser.newContext({ baseURL: line.url, ...look });
        await context.addInitScript(HOSTS.page);
        const page = await context.newPage();
        const uploads = new Uploads(page);
        const other = await browser.newContext({ baseURL: there, ...look });
        const watcher = await other.newPage();
        const shoot = async (name: string, of: Page) => {
          const content = await of.evaluate(() => document.documentElement.scrollHeight);
          await of.setViewportSize({ width, height: Math.max(height, content) });
          await of.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
          await of.setViewportSize({ width, height });
        };
        const alive = (page: Page) => expect(page.locator('[data-connection]')).toHaveAttribute('data-connection', 'open');

        await watcher.goto('/live');
        await alive(watcher);
        await shoot('live-empty', watcher);

        await page.goto('/');
        await uploads.pick([
          await files.random('holiday.mp4', 90 * MiB), await files.random('interview.wav', 60 * MiB),
          await files.random('A recording with a long name that says everything about it.tar.gz', 120 * MiB),
        ]);
        await uploads.reaches('holiday.mp4', 2);
        await watcher.getByRole('button', { name: 'Pause interview.wav' }).click();
        await uploads.expectState('interview.wav', 'paused');
        await uploads.reaches('holiday.mp4', 8);
        await shoot('live-busy', watcher);
        await watcher.locator('summary').and(watcher.getByLabel('Cancel upload of holiday.mp4')).click();
        await shoot('live-cancel', watcher);
        await watcher.keyboard.press('Escape');

        const id = await uploads.id('holiday.mp4');
        await watcher.goto(`/f/${id}`);
        await alive(watcher);
        await shoot('file-arriving-remote', watcher);
        await watcher.locator('summary', { hasText: 'Show on a phone' }).click();
        await expect(watcher.getByRole('img', { name: /^A code/ })).toBeVisible();
        await shoot('file-arriving-code', watcher);

        await uploads.row('holiday.mp4').getByRole('button', { name: 'Details of holiday.mp4' }).click();
        line.rate = 0.5 * MiB;
        await page.waitForTimeout(4000);
        line.down();
        await uploads.expectConnection('waiting');
        await page.waitForTimeout(1500);
        line.up();
        line.rate = 8 * MiB;
        await uploads.expectState('holiday.mp4', 'sending');
        await page.waitForTimeout(4000);
        await shoot('uploads-flight', page);
        const flight = uploads.row('holiday.mp4').getByRole('region');
        await flight.getByText('As a table').click();
        await flight.getByText('Text for a bug report').click();
        await shoot('uploads-flight-text', page);
        await page.locator('summary', { hasText: 'Show on a phone' }).click();
        await shoot('uploads-flight-alone', page);
        await context.close();
        await other.close();
      });
    }
  }
});
