import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { test } from '../support/test';
import { LIMITS, SIZES, type Size, THEMES, inChinese, toLimits, toOneClick, toOutdated, tour } from '../support/tour';

const folder = join(__dirname, '../screenshots');

test.describe('pictures of every page @screenshots', () => {
  for (const size of Object.keys(SIZES) as Size[]) {
    test(size, async ({ browser, server, wire, files }) => {
      test.setTimeout(240_000);
      const { width, height } = SIZES[size].viewport;
      await tour({ browser, server, wire, files }, size, async (name, page) => {
        for (const colorScheme of THEMES) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          // A screen as high as the page: for a picture of the full page the browser would
          // forget that it is a phone.
          const content = await page.evaluate(() => document.documentElement.scrollHeight);
          await page.setViewportSize({ width, height: Math.max(height, content) });
          await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
          await page.setViewportSize({ width, height });
        }
      });
    });
  }

  /** The same page in every size and theme. */
  const all = async (page: Page, name: string) => {
    for (const [size, { viewport }] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      for (const colorScheme of THEMES) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      }
    }
  };

  test.describe('after a reload', () => {
    test.use({ host: 'page' });
    test('one click', async ({ page, uploads, wire, files }) => {
      await toOneClick({ page, uploads, wire, files });
      await all(page, 'uploads-one-click');
    });
  });

  test('after a deploy', async ({ page, uploads, server, build, wire, files }) => {
    await toOutdated({ page, uploads, wire, files }, server, build);
    await all(page, 'uploads-outdated');
  });

  test.describe('limits', () => {
    test.use({ options: LIMITS });
    test('limits', async ({ page, uploads, wire, files }) => {
      await toLimits({ page, uploads, wire, files });
      await all(page, 'uploads-limits');
    });
  });

  test.describe('in Chinese', () => {
    test.use({ locale: 'zh-CN' });
    test('in Chinese', async ({ page, uploads, wire, files }) => {
      await inChinese({ page, uploads, wire, files }, (name) => all(page, name));
    });
  });
});
