import type { Page } from '@playwright/test';
import { comeToLife, complaints, holdLife } from '../support/life';
import { expect, test } from '../support/test';

/** What of the page is there for everybody: words, roles and states. Moments are the reader's own once it is alive, and it watches then. */
async function seen(page: Page): Promise<string> {
  return (await page.getByRole('main').ariaSnapshot()).replaceAll(/\d+ \w+ \d{4}, \d+:\d+( UTC)?/g, 'a moment').replaceAll(/\d+ watching/g, 'who watches');
}

/** Every route, with one file stored. */
async function routes(page: Page, arrives: () => Promise<string>): Promise<string[]> {
  await page.goto('/');
  const id = await arrives();
  return ['/', '/files', '/files?q=done', '/live', `/f/${id}`, '/f/AAAAAAAAAAAAAAAAAAAAAA', '/nowhere', '/?shared=not'];
}

test('every route can be read before WASM is there, comes to life without a complaint, and nothing moves', async ({ page, browser, uploads, files, server }) => {
  const all = await routes(page, async () => {
    await uploads.pick(await files.text('done.txt', 'done'));
    await uploads.arrives('done.txt');
    return uploads.id('done.txt');
  });
  // What moved until just now is not on /live any more.
  await server.stop();
  await server.start();
  for (const path of all) {
    await test.step(path, async () => {
      // A browser of its own: what was sent is not in its list.
      const context = await browser.newContext({ baseURL: server.url, locale: 'en-GB', timezoneId: 'UTC' });
      const fresh = await context.newPage();
      const heard = complaints(fresh);
      await fresh.addInitScript(() => {
        const moved: string[] = ((window as any).moved = []);
        const place = (it: DOMRectReadOnly) => `${it.x},${it.y} ${it.width}×${it.height}`;
        new PerformanceObserver((list) => {
          for (const shift of list.getEntries() as any[]) {
            // Who moved may be gone again, and then only by how much is known.
            moved.push(`a shift of ${shift.value}`);
            for (const { node, previousRect, currentRect } of shift.sources) {
              moved.push(`${node?.outerHTML ?? node?.data}: ${place(previousRect)} to ${place(currentRect)}`);
            }
          }
        }).observe({ type: 'layout-shift', buffered: true });
      });
      const wake = await holdLife(fresh);
      await fresh.goto(path, { waitUntil: 'domcontentloaded' });
      await expect.soft(fresh.getByRole('heading', { level: 1 }), path).toBeVisible();
      const before = await seen(fresh);
      wake();
      await comeToLife(fresh);
      expect.soft(await seen(fresh), `${path}: nothing is there that was not`).toBe(before);
      expect.soft(await fresh.evaluate(() => (window as any).moved), `${path}: nothing moved`).toEqual([]);
      expect.soft(heard, path).toEqual([]);
      await context.close();
    });
  }
});
