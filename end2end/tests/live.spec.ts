import type { Page } from '@playwright/test';
import { MiB, b3sum, expect, test } from '../support/test';

/** The page of someone else who watches: another browser profile. */
test.describe('a second browser', () => {
  let watcher: Page;
  test.beforeEach(async ({ browser }) => {
    watcher = await (await browser.newContext()).newPage();
  });
  test.afterEach(() => watcher.context().close());

  test('follows an upload under its link, which becomes the file when it has arrived', async ({ page, wire, uploads, files }) => {
    const source = await files.random('film.mkv', 64 * MiB);
    const line = await wire(12 * MiB);
    await page.goto(line.url);
    await uploads.pick(source);
    await uploads.reaches('film.mkv', 5);
    const id = await uploads.id('film.mkv');

    await watcher.goto(`${line.url}/f/${id}`);
    await expect(watcher.getByRole('heading', { level: 1, name: 'film.mkv' })).toBeVisible();
    const bar = watcher.getByRole('progressbar', { name: 'film.mkv' });
    const percent = async () => Number(await bar.getAttribute('aria-valuenow'));
    const first = await percent();
    await expect.poll(percent).toBeGreaterThan(first);
    await expect(watcher.getByRole('article')).toContainText('Arriving');
    await expect(watcher).toHaveTitle(/\d+% of film\.mkv/);
    expect(await watcher.getByRole('article').getAttribute('data-state')).toBe('receiving');

    await uploads.button('film.mkv', 'Pause').click();
    await expect(watcher.getByRole('article')).toHaveAttribute('data-state', 'resting');
    line.rate = Infinity;
    await uploads.button('film.mkv', 'Resume').click();
    await expect(watcher.getByText('Complete, and proven identical to what was sent')).toBeVisible({ timeout: 60_000 });
    await expect(watcher.getByRole('article')).toHaveAttribute('data-state', 'stored');
    await expect(watcher.getByText(await b3sum(source))).toBeVisible();
    const [download] = await Promise.all([
      watcher.waitForEvent('download'),
      watcher.getByRole('link', { name: /^Download/ }).click(),
    ]);
    expect(await b3sum(await download.path())).toBe(await b3sum(source));
  });

  test('cancels an upload, and its sender is told', async ({ page, server, wire, uploads, files }) => {
    const line = await wire(4 * MiB);
    await page.goto(line.url);
    await uploads.pick(await files.random('film.mkv', 48 * MiB));
    await uploads.reaches('film.mkv', 5);
    await watcher.goto(`${line.url}/f/${await uploads.id('film.mkv')}`);
    await expect(watcher.getByRole('article')).toHaveAttribute('data-state', 'receiving');
    await watcher.locator('summary', { hasText: 'Cancel upload' }).click();
    await watcher.getByRole('button', { name: 'Cancel upload' }).click();
    await uploads.expectState('film.mkv', 'failed');
    await expect(uploads.row('film.mkv')).toContainText('ended elsewhere');
    await expect.poll(() => server.parts()).toEqual([]);
    await expect(watcher.getByRole('article').or(watcher.getByRole('heading', { name: 'There is no such file or upload' }))).toBeVisible();
    await expect(watcher.getByText('It appears under Files once')).toBeHidden();

    // Retry begins anew, as the words say.
    line.rate = Infinity;
    await uploads.button('film.mkv', 'Retry').click();
    await uploads.arrives('film.mkv');
    expect(server.files()).toEqual(['film.mkv']);
  });

  test('sees on /live all that moves, from its beginning to its end', async ({ page, wire, uploads, files }) => {
    const line = await wire(8 * MiB);
    await watcher.goto(`${line.url}/live`);
    await expect(watcher.getByRole('heading', { name: 'Nothing is moving' })).toBeVisible();
    await page.goto(line.url);
    await uploads.pick([await files.random('one.bin', 24 * MiB), await files.random('two.bin', 24 * MiB)]);

    const rows = watcher.getByRole('list', { name: 'Live uploads' }).getByRole('listitem');
    await expect(rows).toHaveCount(2);
    await expect(rows.and(watcher.locator('[data-state=receiving]'))).toHaveCount(2);
    await expect(watcher.getByText('2 uploads moving')).toBeVisible();
    const bar = watcher.getByRole('progressbar', { name: 'one.bin' });
    await expect.poll(async () => Number(await bar.getAttribute('aria-valuenow'))).toBeGreaterThan(10);
    await uploads.button('two.bin', 'Pause').click();
    await expect(rows.and(watcher.locator('[data-name="two.bin"]'))).toHaveAttribute('data-state', 'resting');
    line.rate = Infinity;
    await uploads.button('two.bin', 'Resume').click();
    await uploads.arrived(2);
    await expect(rows.and(watcher.locator('[data-state=stored]'))).toHaveCount(2);
    // What has arrived stays in sight for a moment.
    await expect(watcher.getByRole('heading', { name: 'Nothing is moving' })).toBeVisible({ timeout: 30_000 });
  });

  test('follows on, when the server was killed and started again', async ({ page, server, wire, uploads, files }) => {
    const line = await wire(8 * MiB);
    await page.goto(line.url);
    await uploads.pick(await files.random('film.mkv', 32 * MiB));
    await uploads.reaches('film.mkv', 10);
    await watcher.goto(`${line.url}/live`);
    const row = watcher.getByRole('list', { name: 'Live uploads' }).getByRole('listitem');
    await expect(row).toHaveAttribute('data-state', 'receiving');
    const connection = watcher.locator('[data-connection]');
    await expect(connection).toHaveAttribute('data-connection', 'open');
    await server.kill();
    await expect(connection).toHaveAttribute('data-connection', 'waiting');
    await server.start();
    await expect(connection).toHaveAttribute('data-connection', 'open', { timeout: 30_000 });
    await uploads.expectState('film.mkv', 'sending');
    await expect(row).toHaveAttribute('data-state', 'receiving');
    line.rate = Infinity;
    await uploads.arrives('film.mkv');
    await expect(row).toHaveAttribute('data-state', 'stored');
  });
});
