import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Page } from '@playwright/test';
import { comeToLife, holdLife } from '../support/life';
import { Library } from '../support/library';
import type { Server } from '../support/server';
import { MiB, b3sum, expect, test } from '../support/test';
import { Uploads } from '../support/uploads';

/** Sends files of these names and sizes, one after another. */
async function arrive(page: Page, sizes: Record<string, number>) {
  const uploads = new Uploads(page);
  await page.goto('/');
  for (const [index, [name, size]] of Object.entries(sizes).entries()) {
    await uploads.pick({ name, mimeType: '', buffer: Buffer.alloc(size, name) });
    await uploads.arrived(index + 1);
  }
}

const THREE = { 'middle.txt': 2000, 'apple.pdf': 3000, 'Zebra.png': 1000 };

test('files that arrived are listed, the latest first, with size, time and digest', async ({ page, server }) => {
  await arrive(page, THREE);
  const library = new Library(page);
  await page.goto('/files');
  await library.expectNames(['Zebra.png', 'apple.pdf', 'middle.txt']);
  const row = library.row('apple.pdf');
  await expect(row).toContainText('3.00 kB');
  const digest = await b3sum(server.stored('apple.pdf'));
  await expect(row).toContainText(digest.slice(0, 8));
  await expect(row.locator('time')).toHaveAttribute('datetime', /^\d{4}-\d\d-\d\dT/);
  await expect(page.getByText('3 files')).toBeVisible();
  await row.getByRole('link', { name: 'apple.pdf', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'apple.pdf' })).toBeVisible();
  await expect(page.getByText(digest, { exact: true })).toBeVisible();
});

test('files are sorted by a click on the head of a column, and turned around by a second', async ({ page }) => {
  await arrive(page, THREE);
  const library = new Library(page);
  await page.goto('/files');
  await page.getByRole('link', { name: 'Size' }).click();
  await library.expectNames(['apple.pdf', 'middle.txt', 'Zebra.png']);
  await expect(page.getByRole('columnheader', { name: 'Size' })).toHaveAttribute('aria-sort', 'descending');
  await page.getByRole('link', { name: 'Size' }).click();
  await library.expectNames(['Zebra.png', 'middle.txt', 'apple.pdf']);
  await page.getByRole('columnheader', { name: 'Name' }).getByRole('link').click();
  await library.expectNames(['apple.pdf', 'middle.txt', 'Zebra.png']);
  await page.goBack();
  await library.expectNames(['Zebra.png', 'middle.txt', 'apple.pdf']);
});

test('files are found while one types, in any script and case', async ({ page }) => {
  await arrive(page, { 'Отчёт 2026.txt': 10, 'film.mkv': 10, 'FILM 100%_.srt': 10 });
  const library = new Library(page);
  await page.goto('/files');
  const field = page.getByRole('searchbox', { name: 'Search by name' });
  await field.pressSequentially('film');
  await library.expectNames(['FILM 100%_.srt', 'film.mkv']);
  await expect(page).toHaveURL(/\?.*q=film/);
  await field.fill('100%_');
  await library.expectNames(['FILM 100%_.srt']);
  await field.fill('отчёт');
  await library.expectNames(['Отчёт 2026.txt']);
  await field.fill('nothing like it');
  await expect(page.getByRole('heading', { name: 'No file matches' })).toBeVisible();
  await page.getByRole('link', { name: 'Show all files' }).click();
  await expect.poll(async () => (await library.names()).length).toBe(3);
  await expect(field).toHaveValue('');
});

test('more files than a page holds are on several', async ({ page, uploads, files }) => {
  for (let n = 0; n < 53; n++) await files.text(`many/${String(n).padStart(2, '0')}.txt`, String(n));
  await page.goto('/');
  await uploads.pickFolder(`${files.folder}/many`);
  await uploads.arrived(53);
  const library = new Library(page);
  await page.goto('/files?sort=name');
  await expect(page.getByText('53 files')).toBeVisible();
  expect(await library.names()).toHaveLength(50);
  const ways = page.getByRole('navigation', { name: 'Pages of the list' });
  await expect(ways).toContainText('Page 1 of 2');
  await ways.getByRole('link', { name: 'Next' }).click();
  await library.expectNames(['50.txt', '51.txt', '52.txt']);
  await ways.getByRole('link', { name: 'Previous' }).click();
  await expect.poll(async () => (await library.names()).length).toBe(50);
});

test('a file is downloaded as it was sent, whole and in parts', async ({ page, uploads, files, request }) => {
  const source = await files.random('пример "例".bin', 3 * MiB);
  await page.goto('/');
  await uploads.pick(source);
  const stored = 'пример _例_.bin';
  await uploads.arrived(1);
  await page.goto('/files');
  const library = new Library(page);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    library.row(stored).getByRole('link', { name: `Download ${stored}` }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(stored);
  expect(await b3sum(await download.path())).toBe(await b3sum(source));

  const address = new URL(download.url()).pathname;
  const part = await request.get(address, { headers: { range: 'bytes=1000000-1000099' } });
  expect(part.status()).toBe(206);
  expect(part.headers()['content-range']).toBe(`bytes 1000000-1000099/${3 * MiB}`);
  expect(await part.body()).toEqual((await readFile(source)).subarray(1_000_000, 1_000_100));
  const whole = await request.get(address);
  expect(whole.headers()).toMatchObject({
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining('sandbox'),
    'content-disposition': expect.stringMatching(/^attachment; /),
    etag: `"${await b3sum(source)}"`,
  });
  const known = await request.get(address, { headers: { 'if-none-match': whole.headers().etag } });
  expect(known.status()).toBe(304);
});

test('a file is renamed, within its folder', async ({ page, server, files, uploads }) => {
  await files.text('trip/notes.txt', 'by train');
  await files.text('trip/other.txt', 'by boat');
  await page.goto('/');
  await uploads.pickFolder(`${files.folder}/trip`);
  await uploads.arrived(2);
  const library = new Library(page);
  await page.goto('/files');
  const panel = await library.ask('Rename', 'notes.txt');
  await panel.getByLabel('New name').fill('other.txt');
  await panel.getByRole('button', { name: 'Rename' }).click();
  await expect(page.getByRole('alert')).toContainText('There is already a file of that name');
  expect(server.files()).toEqual(['trip/notes.txt', 'trip/other.txt']);

  await panel.getByLabel('New name').fill('../journey.txt');
  await panel.getByRole('button', { name: 'Rename' }).click();
  await expect(library.row('notes.txt')).toHaveCount(0);
  expect(server.files()).toEqual(['trip/.._journey.txt', 'trip/other.txt']);
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('what is typed before the page is alive is searched for when it is', async ({ page }) => {
  await arrive(page, { 'film.mkv': 10, 'notes.txt': 10 });
  const wake = await holdLife(page);
  await page.goto('/files', { waitUntil: 'domcontentloaded' });
  await page.getByRole('searchbox', { name: 'Search by name' }).pressSequentially('film');
  wake();
  await new Library(page).expectNames(['film.mkv']);
  await expect(page).toHaveURL(/\?.*q=film/);
});

test('a file is deleted without a question, and taken back as it was', async ({ page, server }) => {
  await arrive(page, THREE);
  const library = new Library(page);
  await page.goto('/files');
  await comeToLife(page);
  await library.row('apple.pdf').getByRole('button', { name: 'Delete apple.pdf' }).click();
  await library.expectNames(['Zebra.png', 'middle.txt']);
  expect(server.files()).toEqual(['Zebra.png', 'middle.txt']);
  const notice = page.getByRole('status').filter({ hasText: 'is deleted' });
  await expect(notice).toContainText('apple.pdf');
  await notice.getByRole('button', { name: 'Undo' }).click();
  await library.expectNames(['Zebra.png', 'apple.pdf', 'middle.txt']);
  expect(server.files()).toHaveLength(3);
});

test('the digest is copied with one click, and the line that checks it', async ({ page, server, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await arrive(page, { "it's here.bin": 3000 });
  const library = new Library(page);
  await page.goto('/files');
  const stored = server.stored("it's here.bin");
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await library.row("it's here.bin").getByRole('button', { name: "Copy the digest of it's here.bin" }).last().click();
  await expect.poll(copied).toBe(await b3sum(stored));
  const panel = await library.ask('Digest of', "it's here.bin");
  await panel.getByRole('button', { name: "Copy the line that checks it's here.bin" }).click();
  await expect.poll(copied).toContain('b3sum --check');
  const checked = execFileSync('sh', ['-c', await copied()], { cwd: dirname(stored), encoding: 'utf8' });
  expect(checked).toBe("it's here.bin: OK\n");
});

test('a file that arrives while the list is shown appears in it', async ({ page, wire, uploads, files }) => {
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  await uploads.pick(await files.random('film.mkv', 24 * MiB));
  await uploads.reaches('film.mkv', 5);
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Files' }).click();
  await expect(page.getByRole('heading', { name: 'Nothing has arrived yet' })).toBeVisible();
  await expect(new Library(page).row('film.mkv')).toBeVisible({ timeout: 30_000 });
});

test.describe('where JavaScript is off', () => {
  test.use({ javaScriptEnabled: false });

  test('files are listed, sorted, found, renamed and deleted all the same', async ({ page, browser, server, context }) => {
    await withScripts(browser, server, (living) => arrive(living, THREE));
    const library = new Library(page);
    const answer = await page.goto('/files');
    expect(answer!.status()).toBe(200);
    expect(await library.names()).toEqual(['Zebra.png', 'apple.pdf', 'middle.txt']);
    await page.getByRole('link', { name: 'Size' }).click();
    expect(await library.names()).toEqual(['apple.pdf', 'middle.txt', 'Zebra.png']);

    await page.getByRole('searchbox', { name: 'Search by name' }).fill('apple');
    await page.getByRole('button', { name: 'Search' }).click();
    expect(await library.names()).toEqual(['apple.pdf']);

    await page.goto('/files');
    const renaming = await library.ask('Rename', 'apple.pdf');
    await renaming.getByLabel('New name').fill('pear.pdf');
    await renaming.getByRole('button', { name: 'Rename' }).click();
    await expect(page).toHaveURL(/\/files/);
    expect(await library.names()).toEqual(['Zebra.png', 'pear.pdf', 'middle.txt']);

    await library.row('pear.pdf').getByRole('button', { name: 'Delete pear.pdf' }).click();
    await expect(page).toHaveURL(/\/files/);
    expect(await library.names()).toEqual(['Zebra.png', 'middle.txt']);
    expect(server.files()).toEqual(['Zebra.png', 'middle.txt']);
    await context.close();
  });

  test('what is refused is said', async ({ page, browser, server }) => {
    await withScripts(browser, server, (living) => arrive(living, THREE));
    const library = new Library(page);
    await page.goto('/files');
    const panel = await library.ask('Rename', 'apple.pdf');
    await panel.getByLabel('New name').fill('middle.txt');
    await panel.getByRole('button', { name: 'Rename' }).click();
    await expect(page.getByText('There is already a file of that name')).toBeVisible();
  });
});

async function withScripts(browser: import('@playwright/test').Browser, server: Server, act: (page: Page) => Promise<void>) {
  const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: true });
  await act(await context.newPage());
  await context.close();
}
