import { MiB, expect, test } from '../support/test';

test('the page keeps what it promises to tests and to those who embed it', async ({ page, wire, uploads, files }) => {
  const line = await wire(8 * MiB);
  await page.goto(line.url);
  await expect(uploads.connection).toHaveCount(1);
  await uploads.expectConnection('idle');
  await uploads.pick(await files.random('film.mkv', 24 * MiB));

  const list = page.locator('[role=list]').and(page.getByLabel('Uploads', { exact: true }));
  const row = list.locator('[role=listitem]');
  await expect(row).toHaveCount(1);
  await expect(row).toHaveAttribute('data-name', 'film.mkv');
  await expect(row).toHaveAttribute('data-state', 'sending');
  await uploads.expectConnection('open');

  const bar = row.locator('[role=progressbar]');
  await expect(bar).toHaveAccessibleName('film.mkv');
  await expect(bar).toHaveAttribute('aria-valuemin', '0');
  await expect(bar).toHaveAttribute('aria-valuemax', '100');
  await expect(bar).toHaveAttribute('aria-valuenow', /^[1-9]\d?$/);
  await expect(bar).toHaveAttribute('aria-valuetext', /^\d+ per cent, .+ of 25\.2 MB stored$/);
  // Per file: state, speed and time left.
  await expect(row).toContainText('Sending');
  await expect(row).toContainText(/\d+(\.\d+)? [kM]B\/s/);
  await expect(row).toContainText(/\d+ s left/);
  // In all: also in the title of the document.
  await expect(uploads.totals.getByRole('progressbar', { name: 'All uploads' })).toHaveAttribute('aria-valuenow', /^\d+$/);
  await expect(page).toHaveTitle(/^\d+%/);

  await expect(uploads.button('film.mkv', 'Pause')).toBeVisible();
  await expect(uploads.button('film.mkv', 'Cancel')).toBeVisible();
  await uploads.button('film.mkv', 'Pause').press('Enter');
  await expect(row).toHaveAttribute('data-state', 'paused');
  await expect(uploads.button('film.mkv', 'Resume'), 'the same key goes on').toBeFocused();
  line.rate = Infinity;
  await page.keyboard.press('Enter');
  await expect(row).toHaveAttribute('data-state', 'stored');
  await expect(bar).toHaveAttribute('aria-valuenow', '100');
  await uploads.expectConnection('idle');
  await expect(page).not.toHaveTitle(/%/);
});

test('every button and link has a name, in every state', async ({ page, wire, uploads, files }) => {
  const line = await wire(8 * MiB);
  await page.goto(line.url);
  await uploads.pick(await files.text('done.txt', 'done'));
  await uploads.arrives('done.txt');
  await uploads.pick([await files.random('film.mkv', 24 * MiB), await files.random('paused.mkv', 24 * MiB)]);
  await uploads.reaches('paused.mkv', 1);
  await uploads.button('paused.mkv', 'Pause').click();
  await uploads.expectState('paused.mkv', 'paused');
  for (const role of ['button', 'link', 'progressbar', 'list', 'navigation', 'region'] as const) {
    const all = await page.getByRole(role).all();
    expect(all.length, role).toBeGreaterThan(0);
    for (const one of all) await expect(one, await one.evaluate((e) => e.outerHTML)).toHaveAccessibleName(/\S/);
  }
});

test('rows wait, and say so, while the connection is gone', async ({ page, wire, uploads, files }) => {
  const line = await wire(8 * MiB);
  await page.goto(line.url);
  await uploads.pick(await files.random('film.mkv', 24 * MiB));
  await uploads.reaches('film.mkv', 10);
  line.down();
  await uploads.expectState('film.mkv', 'waiting');
  await expect(uploads.row('film.mkv')).toContainText('Waiting to go on');
  await uploads.expectConnection('waiting');
  const shown = await uploads.percent('film.mkv');
  expect(shown, 'what is durable stays so').toBeGreaterThanOrEqual(10);
});

test('an image shows itself', async ({ page, uploads }) => {
  await page.goto('/');
  const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
  await uploads.pick({ name: 'pixel.png', mimeType: 'image/png', buffer: Buffer.from(pixel, 'base64') });
  await uploads.arrives('pixel.png');
  const image = uploads.row('pixel.png').locator('img');
  await expect(image).toHaveAttribute('src', /^blob:/);
  await expect.poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(1);
});
