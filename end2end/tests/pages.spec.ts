import { comeToLife, complaints } from '../support/life';
import { MiB, expect, test } from '../support/test';

test('every page comes to life without a complaint, and has its status and its title', async ({ page, server, wire, uploads, files }) => {
  const line = await wire(4 * MiB);
  const heard = complaints(page);
  await page.goto(line.url);
  await uploads.pick(await files.text('done.txt', 'done'));
  await uploads.arrives('done.txt');
  const stored = await uploads.id('done.txt');
  const sender = await page.context().browser()!.newPage();
  await sender.goto(line.url);
  const theirs = new (uploads.constructor as any)(sender) as typeof uploads;
  await theirs.pick(await files.random('film.mkv', 64 * MiB));
  const running = await theirs.id('film.mkv');

  for (const [path, status, heading] of [
    // What was sent is still in the list.
    ['/', 200, /^Drop (more )?files anywhere$/],
    ['/files', 200, 'Files'],
    ['/live', 200, 'Live'],
    [`/f/${stored}`, 200, 'done.txt'],
    [`/f/${running}`, 200, 'film.mkv'],
    ['/f/AAAAAAAAAAAAAAAAAAAAAA', 404, 'There is no such file or upload'],
    ['/f/nonsense', 404, 'There is no such file or upload'],
    ['/nowhere', 404, 'There is nothing here'],
  ] as const) {
    await test.step(path, async () => {
      const answer = await page.goto(line.url + path);
      expect.soft(answer!.status(), path).toBe(status);
      await expect.soft(page.getByRole('heading', { level: 1, name: heading }), path).toBeVisible();
      await comeToLife(page);
      await expect.soft(page.getByRole('heading', { level: 1, name: heading }), `${path}, alive`).toBeVisible();
      expect.soft(await page.title(), path).toMatch(/Longhaul/);
      expect.soft(heard.splice(0), path).toEqual([]);
    });
  }
  await sender.close();
});

test('the links between the pages keep the page: nothing is loaded anew', async ({ page }) => {
  const heard = complaints(page);
  await page.goto('/');
  await comeToLife(page);
  await page.evaluate(() => ((window as any).same = true));
  const pages = page.getByRole('navigation', { name: 'Pages' });
  for (const [name, heading] of [['Files', 'Files'], ['Live', 'Live'], ['Uploads', 'Drop files anywhere']]) {
    await pages.getByRole('link', { name }).click();
    await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
    await expect(pages.getByRole('link', { name })).toHaveAttribute('aria-current', 'page');
  }
  expect(await page.evaluate(() => (window as any).same)).toBe(true);
  expect(heard).toEqual([]);
});

test.describe('where JavaScript is off', () => {
  test.use({ javaScriptEnabled: false });

  test('the page of uploads says what that means, in plain words', async ({ page }) => {
    const answer = await page.goto('/');
    expect(answer!.status()).toBe(200);
    const words = page.locator('noscript .notice');
    await expect(words).toBeVisible();
    await expect(words).toContainText('JavaScript is off in this browser. Sending files needs it', { useInnerText: true });
    await words.getByRole('link', { name: 'Files' }).click();
    await expect(page).toHaveURL('/files');
  });
});

test('signs of life are there for whoever watches the server', async ({ request }) => {
  expect((await request.get('/healthz')).status()).toBe(200);
  expect((await request.get('/readyz')).status()).toBe(200);
});
