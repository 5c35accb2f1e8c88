import { ARGUMENTS, CHROMIUM } from '../support/chromium';
import { expect, test } from '../support/test';
import type { Uploads } from '../support/uploads';

// A name of this machine that a phone could know, too.
test.use({
  options: ['--hosts', 'longhaul.example'],
  launchOptions: {
    executablePath: CHROMIUM,
    args: [...ARGUMENTS, '--host-resolver-rules=MAP longhaul.example 127.0.0.1'],
  },
});

/** Stores a file; its name in links. */
async function stored(uploads: Uploads): Promise<string> {
  await uploads.page.goto('/');
  await uploads.pick({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('words') });
  await uploads.arrives('a.txt');
  return uploads.id('a.txt');
}

test('a code leads to the address by which one is there', async ({ page, request, server, uploads }) => {
  const id = await stored(uploads);
  const code = (id: string, host: string) => request.get(`${server.url}/f/${id}/qr.svg`, { headers: { host } });
  const svg = await code(id, 'localhost:1');
  expect(svg.headers()['content-type']).toBe('image/svg+xml');
  expect(svg.headers()['cache-control']).toContain('no-store');
  expect(await svg.text()).toMatch(/^<svg .*<\/svg>$/);
  expect(await (await code(id, '192.0.2.1')).text()).not.toBe(await svg.text());
  expect((await code('AAAAAAAAAAAAAAAAAAAAAA', 'localhost')).status()).toBe(404);
  expect((await code(id, 'evil.example')).status()).toBe(421);
  // A phone cannot come to the address of this page.
  await page.goto(`/f/${id}`);
  await page.locator('summary', { hasText: 'Show on a phone' }).click();
  await expect(page.getByText('A phone cannot come here: 127.0.0.1')).toBeVisible();
});

test('a phone can be shown the code, without scripts, too', async ({ browser, server, uploads }) => {
  const id = await stored(uploads);
  for (const javaScriptEnabled of [true, false]) {
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    await page.goto(`http://longhaul.example:${server.port}/f/${id}`);
    await page.locator('summary', { hasText: 'Show on a phone' }).click();
    const picture = page.getByRole('img', { name: 'A code with the address of this upload' });
    await expect(picture).toBeVisible();
    await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.complete && img.naturalWidth)).toBeGreaterThan(0);
    await context.close();
  }
});
