import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test';
import { LIMITS, SIZES, type Size, THEMES, inChinese, toLimits, toOneClick, toOutdated, tour } from '../support/tour';

/** WCAG 2.2 AA, and what axe calls good practice. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Those of them to which a theme makes a difference. */
const COLOURS = ['color-contrast', 'link-in-text-block'];

/** Lets axe look at a page, in every theme at its colours, and says what it finds. */
async function check(name: string, page: Page) {
  // It is a script itself.
  if (name === 'without-scripts') return;
  for (const colorScheme of THEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const axe = new AxeBuilder({ page });
    const { violations } = await (colorScheme === THEMES[0] ? axe.withTags(RULES) : axe.withRules(COLOURS)).analyze();
    const found = violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${help}\n  ${target.join(' ')}\n  ${failureSummary}`));
    expect.soft(found.join('\n'), `${name}, ${colorScheme}`).toBe('');
  }
}

for (const size of Object.keys(SIZES) as Size[]) {
  test(`axe finds nothing on any page in any state, ${size}`, async ({ browser, server, wire, files }) => {
    test.setTimeout(300_000);
    await tour({ browser, server, wire, files }, size, check);
  });
}

/** The same page in every size. */
async function checkAll(name: string, page: Page) {
  for (const { viewport } of Object.values(SIZES)) {
    await page.setViewportSize(viewport);
    await check(name, page);
  }
}

test.describe('axe finds nothing after a reload', () => {
  test.use({ host: 'page' });
  test('that leaves one click', async ({ page, uploads, wire, files }) => {
    await toOneClick({ page, uploads, wire, files });
    await checkAll('one click', page);
  });
});

test('axe finds nothing after a deploy', async ({ page, uploads, server, build, wire, files }) => {
  await toOutdated({ page, uploads, wire, files }, server, build);
  await checkAll('outdated', page);
});

test.describe('axe finds nothing where there are limits', () => {
  test.use({ options: LIMITS });
  test('and they are broken', async ({ page, uploads, wire, files }) => {
    await toLimits({ page, uploads, wire, files });
    await checkAll('limits', page);
  });
});

test.describe('axe finds nothing in Chinese', () => {
  test.use({ locale: 'zh-CN' });
  test('on the first page and on that of files', async ({ page, uploads, wire, files }) => {
    await inChinese({ page, uploads, wire, files }, checkAll);
  });
});
