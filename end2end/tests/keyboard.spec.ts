import { type Locator, type Page } from '@playwright/test';
import { catchChoosers, comeToLife } from '../support/life';
import { MiB, expect, test } from '../support/test';

/** Goes on by Tab until this has the focus, and sees that the way there is always visible. */
async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab') {
  for (let steps = 0; steps < 60; steps++) {
    await page.keyboard.press(key);
    const ring = await page.evaluate(() => {
      const focused = document.activeElement as HTMLElement;
      // What is picked with is drawn around the input that has the focus.
      const drawn = focused.closest('.pick') ?? focused;
      const { outlineStyle, outlineWidth } = getComputedStyle(drawn);
      return focused === document.body || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2);
    });
    expect(ring, 'the focus is seen').toBe(true);
    if (await target.evaluate((it) => it === document.activeElement)) return;
  }
  throw new Error(`Tab does not lead to ${target}`);
}

test('the main way goes by keyboard alone', async ({ page, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', 48 * MiB);
  const other = await files.random('other.mkv', 48 * MiB);
  const line = await wire(6 * MiB);
  catchChoosers(page);
  await page.goto(line.url);
  await comeToLife(page);

  // The first stop leads over the header.
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();

  // Playwright stands in for the dialogue of the system; the browser's own picker is not asked.
  await page.evaluate(() => delete (window as any).showOpenFilePicker);
  const choose = page.getByLabel('Choose files');
  await tabTo(page, choose);
  const opened = page.waitForEvent('filechooser');
  await page.keyboard.press('Space');
  await (await opened).setFiles([source, other]);
  await uploads.reaches('film.mkv', 3);

  await tabTo(page, uploads.button('film.mkv', 'Pause'));
  await page.keyboard.press('Enter');
  await uploads.expectState('film.mkv', 'paused');
  await expect(uploads.button('film.mkv', 'Resume'), 'the same key goes on').toBeFocused();
  await page.keyboard.press('Enter');
  await uploads.expectState('film.mkv', 'sending');

  // Cancel asks; the safe answer has the focus, and Escape gives it.
  await uploads.reaches('other.mkv', 3);
  await tabTo(page, uploads.button('other.mkv', 'Cancel'));
  await page.keyboard.press('Enter');
  const question = uploads.row('other.mkv').getByRole('group', { name: 'Cancel other.mkv' });
  await expect(question.getByRole('button', { name: 'Keep it' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(question).toBeHidden();
  await expect(uploads.button('other.mkv', 'Cancel')).toBeFocused();
  await page.keyboard.press('Enter');
  await tabTo(page, question.getByRole('button', { name: 'Cancel upload' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(uploads.rows()).toHaveCount(1);
  line.rate = Infinity;
  await uploads.arrives('film.mkv');

  const pages = page.getByRole('navigation', { name: 'Pages' });
  await tabTo(page, pages.getByRole('link', { name: 'Files' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Files' })).toBeVisible();
  await tabTo(page, page.getByRole('link', { name: 'film.mkv', exact: true }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'film.mkv' })).toBeVisible();
  // What the browser itself does for Alt and the left arrow.
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1, name: 'Files' })).toBeVisible();
  expect(server.files()).toEqual(['film.mkv']);
});

test('a screen reader finds the first page in order, empty and with an upload', async ({ page, wire, uploads, files }) => {
  const line = await wire(2 * MiB);
  await page.goto(line.url);
  await comeToLife(page);
  await expect(page.locator('body')).toMatchAriaSnapshot(`
    - link "Skip to the content"
    - banner:
      - link "Longhaul, uploads"
      - navigation "Pages":
        - link "Uploads"
        - link "Files"
        - link "Live"
      - status: Idle
    - main:
      - region "Drop files anywhere":
        - heading "Drop files anywhere" [level=1]
        - paragraph: /carries on from where it was/
        - paragraph: /Any kind of file/
        - button "Choose files"
        - button "Choose a folder"
  `);
  await uploads.pick(await files.random('film.mkv', 24 * MiB));
  await uploads.reaches('film.mkv', 5);
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - region "All uploads":
      - progressbar "All uploads"
      - button "Pause all"
      - button "Cancel all"
    - list "Uploads":
      - listitem:
        - paragraph: film.mkv
        - progressbar "film.mkv"
        - link "Open film.mkv"
        - button "Pause film.mkv"
        - button "Cancel film.mkv"
  `);
});
