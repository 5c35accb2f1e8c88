import { execFileSync } from 'node:child_process';
import type { Page } from '@playwright/test';
import { Library } from '../support/library';
import type { Server } from '../support/server';
import { b3sum, expect, test } from '../support/test';
import { Uploads } from '../support/uploads';

/** Sends a folder tree: its files, by path. */
async function arrive(page: Page, files: import('../support/files').Files, tree: Record<string, string>) {
  const uploads = new Uploads(page);
  for (const [path, text] of Object.entries(tree)) await files.text(`tree/${path}`, text);
  await page.goto('/');
  await uploads.pickFolder(`${files.folder}/tree`);
  await uploads.arrived(Object.keys(tree).length);
}

const TREE = { 'a.txt': 'one', '旅行/海.txt': 'the sea', '旅行/a.txt': 'another', 'e.txt': '', 'z.txt': 'last' };

test.describe('files that are chosen', () => {
  test.beforeEach(async ({ page, files }) => arrive(page, files, TREE));

  test('one by one, from one to another with Shift, and all of the page', async ({ page }) => {
    const library = new Library(page);
    await page.goto('/files?sort=name');
    await library.expectNames(['a.txt', 'e.txt', 'z.txt', 'a.txt', '海.txt']);
    await expect(library.chosenBar).toBeHidden();
    await library.choose('e.txt').click();
    await expect(library.chosenBar).toContainText('1 file, 0 B');
    await library.choose('海.txt').click({ modifiers: ['Shift'] });
    await expect(library.chosenBar).toContainText('4 files, 18 B');
    const all = page.getByRole('checkbox', { name: 'Choose all files on this page' });
    expect(await all.evaluate((box: HTMLInputElement) => box.indeterminate)).toBe(true);
    await all.click();
    await expect(library.chosenBar).toContainText('5 files');
    await expect(all).toBeChecked();
    await all.click();
    await expect(library.chosenBar).toBeHidden();
  });

  test('by keys alone: arrows, Shift, Ctrl and A, Escape, Delete, and back again', async ({ page, server }) => {
    const library = new Library(page);
    await page.goto('/files?sort=name');
    await library.alive();
    await library.choose('e.txt').focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+ArrowDown');
    await expect(library.choose('z.txt')).toBeFocused();
    await expect(library.chosenBar).toContainText('2 files');
    await page.keyboard.press('Control+a');
    await expect(library.chosenBar).toContainText('5 files');
    await page.keyboard.press('Escape');
    await expect(library.chosenBar).toBeHidden();
    await page.keyboard.press('Space');
    await page.keyboard.press('Delete');
    const undo = page.getByRole('status').getByRole('button', { name: 'Undo' });
    await expect(undo).toBeFocused();
    await expect(library.row('z.txt')).toHaveCount(0);
    expect(server.files()).not.toContain('tree/z.txt');
    await page.keyboard.press('Enter');
    await expect(library.row('z.txt')).toBeVisible();
    expect(server.files()).toContain('tree/z.txt');
  });

  test('come as one archive that another program unpacks, byte for byte', async ({ page, server, files }) => {
    const library = new Library(page);
    await page.goto('/files');
    await page.getByRole('checkbox', { name: 'Choose all files on this page' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      library.chosenBar.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('tree.zip');
    const out = `${files.folder}/out`;
    execFileSync('unzip', ['-q', await download.path(), '-d', out]);
    for (const path of Object.keys(TREE)) {
      expect(await b3sum(`${out}/tree/${path}`)).toBe(await b3sum(server.stored(`tree/${path}`)));
    }
    await expect(page.getByRole('heading', { level: 1, name: 'Files' }), 'the page stays').toBeVisible();
  });

  test('are deleted together, taken back together, and their links copied', async ({ page, server, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const library = new Library(page);
    await page.goto('/files?sort=name');
    await library.choose('e.txt').click();
    await library.choose('海.txt').click();
    await library.chosenBar.getByRole('button', { name: 'Copy the links' }).click();
    const links = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
    expect(links).toHaveLength(2);
    for (const link of links) expect(link).toMatch(new RegExp(`^${server.url}/f/[\\w-]{22}$`));

    await library.chosenBar.getByRole('button', { name: 'Delete' }).click();
    const notice = page.getByRole('status').filter({ hasText: 'deleted' });
    await expect(notice).toContainText('2 files are deleted');
    await library.expectNames(['a.txt', 'z.txt', 'a.txt']);
    await expect(library.chosenBar).toBeHidden();
    expect(server.files()).toEqual(['tree/a.txt', 'tree/z.txt', 'tree/旅行/a.txt']);
    expect((await page.request.get(`${links[0]}/content`)).status()).toBe(404);
    await notice.getByRole('button', { name: 'Undo' }).click();
    await library.expectNames(['a.txt', 'e.txt', 'z.txt', 'a.txt', '海.txt']);
    expect(server.files()).toHaveLength(5);
    expect((await page.request.get(`${links[0]}/content`)).status()).toBe(200);
  });

  test('are narrowed to a kind, and what is chosen does not follow to another list', async ({ page }) => {
    const library = new Library(page);
    await page.goto('/files');
    await library.choose('e.txt').click();
    const kinds = page.getByRole('navigation', { name: 'Kinds of files' });
    await kinds.getByRole('link', { name: 'Images' }).click();
    await expect(page).toHaveURL('/files?kind=image');
    await expect(page.getByRole('heading', { name: 'No file matches' })).toBeVisible();
    await kinds.getByRole('link', { name: 'Documents' }).click();
    await expect(kinds.getByRole('link', { name: 'Documents' })).toHaveAttribute('aria-current', 'true');
    await expect(library.row('z.txt')).toBeVisible();
    await page.getByRole('searchbox').fill('旅行');
    await expect(page).toHaveURL(/kind=document/);
    await expect.poll(async () => (await library.names()).length).toBe(2);
    await expect(library.chosenBar).toBeHidden();
  });
});

test('what was deleted is under “Recently deleted”, also after kill -9, and under another name if its own is taken', async ({ page, server, files, uploads }) => {
  const source = await files.text('notes.txt', 'the first');
  await page.goto('/');
  await uploads.pick(source);
  await uploads.arrived(1);
  const id = await uploads.id('notes.txt');
  const library = new Library(page);
  await page.goto('/files');
  await library.row('notes.txt').getByRole('button', { name: 'Delete notes.txt' }).click();
  await expect(library.row('notes.txt')).toHaveCount(0);
  expect(server.files()).toEqual([]);
  await server.kill();
  await server.start();

  await page.goto(`/f/${id}`);
  await expect(page.getByText('This file was deleted')).toBeVisible();
  await page.goto('/');
  await uploads.pick(await files.text('other/notes.txt', 'the second'));
  await expect.poll(() => server.files()).toEqual(['notes.txt']);
  await page.goto('/files');
  await page.getByText('Recently deleted (1)').click();
  await page.getByRole('button', { name: 'Take back notes.txt' }).click();
  await expect(library.row('notes (2).txt')).toBeVisible();
  await expect(page.getByRole('status').filter({ hasText: 'is back' })).toContainText('notes (2).txt');
  await expect(page.getByText('Recently deleted')).toBeHidden();
  expect(await b3sum(server.stored('notes (2).txt'))).toBe(await b3sum(source));
  const answer = await page.goto(`/f/${id}`);
  expect(answer!.status()).toBe(200);
});

test.describe('where JavaScript is off', () => {
  test.use({ javaScriptEnabled: false });

  test('files are chosen, downloaded together, deleted together and taken back all the same', async ({ page, browser, server, files }) => {
    await withScripts(browser, server, (living) => arrive(living, files, TREE));
    const library = new Library(page);
    await page.goto('/files?sort=name');
    await expect(library.chosenBar).toBeHidden();
    await library.choose('e.txt').check();
    await library.choose('海.txt').check();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      library.chosenBar.getByRole('button', { name: 'Download' }).click(),
    ]);
    const names = execFileSync('unzip', ['-Z1', await download.path()], { encoding: 'utf8' });
    expect(names.trim().split('\n')).toEqual(['tree/e.txt', 'tree/旅行/海.txt']);

    await library.chosenBar.getByRole('button', { name: 'Delete' }).click();
    await expect(page).toHaveURL('/files?sort=name');
    await library.expectNames(['a.txt', 'z.txt', 'a.txt']);
    expect(server.files()).toHaveLength(3);
    await page.getByText('Recently deleted (2)').click();
    await page.getByRole('button', { name: 'Take back e.txt' }).click();
    await library.expectNames(['a.txt', 'e.txt', 'z.txt', 'a.txt']);
    expect(server.files()).toHaveLength(4);
    await page.getByRole('link', { name: 'Archives' }).click();
    await expect(page.getByRole('heading', { name: 'No file matches' })).toBeVisible();
  });
});

async function withScripts(browser: import('@playwright/test').Browser, server: Server, act: (page: Page) => Promise<void>) {
  const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: true });
  await act(await context.newPage());
  await context.close();
}
