import type { Page } from '@playwright/test';
import { Library } from '../support/library';
import { expect, test } from '../support/test';
import { PAPER, PICTURE, tone } from '../support/samples';
import { Uploads } from '../support/uploads';

/** What would tell, in whatever page it ran: a title, a request, a global. */
const EVIL = '<script>document.title="ran";fetch("/ran");top.ran=1;opener&&(opener.ran=1)</script>';

const DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30" onload="top.ran=1">' +
  '<script>document.title="ran";top.ran=1;fetch("/ran")</script><rect width="40" height="30" fill="teal"/></svg>';

const SAMPLES: Record<string, Buffer> = {
  'a picture.png': PICTURE,
  'b drawing.svg': Buffer.from(DRAWING),
  'c tone.wav': tone(),
  'd page.html': Buffer.from(`<h1>Hello</h1>${EVIL}`),
  'e paper.pdf': PAPER,
  'f program.exe': Buffer.from('MZ'),
  'g text.txt': Buffer.from('纯文本 — plain'),
};

async function arrive(page: Page) {
  const uploads = new Uploads(page);
  await page.goto('/');
  const files = Object.entries(SAMPLES).map(([name, buffer]) => ({ name, buffer, mimeType: 'text/html' }));
  await uploads.pick(files);
  await uploads.arrived(files.length);
}

/** Requests that only a script of a stored file would make. */
function escapes(page: Page) {
  const all: string[] = [];
  page.context().on('request', (request) => request.url().endsWith('/ran') && all.push(request.url()));
  return all;
}

test.beforeEach(({ page }) => arrive(page));

test('every kind is shown in place, one after another, by keys, and the focus comes back', async ({ page }) => {
  const escaped = escapes(page);
  const library = new Library(page);
  await page.goto('/files?sort=name');
  await library.alive();
  await library.look('a picture.png').press('Enter');
  const viewer = page.getByRole('dialog');
  await expect(viewer).toHaveAccessibleName('a picture.png');
  await expect(viewer).toContainText('1 of 6');
  const natural = () => viewer.locator('img').evaluate((img: HTMLImageElement) => img.complete && img.naturalWidth);
  await expect.poll(natural).toBe(2);

  await page.keyboard.press('ArrowRight');
  await expect(viewer).toHaveAccessibleName('b drawing.svg');
  await expect.poll(natural).toBe(40);

  await page.keyboard.press('ArrowRight');
  await expect(viewer).toHaveAccessibleName('c tone.wav');
  await expect.poll(() => viewer.locator('audio').evaluate((audio: HTMLAudioElement) => audio.duration)).toBeCloseTo(0.5, 2);

  await page.keyboard.press('ArrowRight');
  await expect(viewer.getByRole('region', { name: 'Text of d page.html' })).toContainText('<script>document.title="ran"');

  await page.keyboard.press('ArrowRight');
  await expect(viewer).toHaveAccessibleName('e paper.pdf');
  await expect(viewer.getByRole('link', { name: 'Open in a new tab' })).toBeVisible();

  await page.keyboard.press('ArrowRight');
  await expect(viewer.getByRole('region', { name: 'Text of g text.txt' })).toHaveText('纯文本 — plain');
  await page.keyboard.press('ArrowRight');
  await expect(viewer).toHaveAccessibleName('a picture.png');
  await viewer.getByRole('button', { name: 'Previous file' }).click();
  await expect(viewer).toHaveAccessibleName('g text.txt');

  await page.keyboard.press('Escape');
  await expect(viewer).toBeHidden();
  await expect(library.look('g text.txt'), 'the file that was seen last').toBeFocused();
  await expect(page).toHaveTitle(/Files/);
  expect(await page.evaluate(() => 'ran' in window)).toBe(false);
  expect(escaped).toEqual([]);
});

test('a file that is not shown has a page, and no preview', async ({ page }) => {
  const library = new Library(page);
  await page.goto('/files');
  await expect(library.look('f program.exe')).toHaveCount(0);
  const id = await library.id('f program.exe');
  const refused = await page.request.get(`/f/${id}/view`);
  expect(refused.status()).toBe(415);
  expect(await refused.text()).toContain(`/f/${id}/content`);
});

test('what was sent never runs, whichever way it is opened', async ({ page, context }) => {
  const escaped = escapes(page);
  const library = new Library(page);
  await page.goto('/files');
  const html = await library.id('d page.html');
  const svg = await library.id('b drawing.svg');

  // In a tab of its own: text.
  const tab = await context.newPage();
  const answer = await tab.goto(`/f/${html}/view`);
  expect(answer!.headers()['content-type']).toBe('text/plain; charset=utf-8');
  await expect(tab.locator('pre')).toContainText('<h1>Hello</h1><script>');
  expect(await tab.title()).not.toBe('ran');
  // A drawing is saved, and not opened.
  const [saved] = await Promise.all([tab.waitForEvent('download'), tab.goto(`/f/${svg}/view`).catch(() => {})]);
  expect(saved.suggestedFilename()).toBe('b drawing.svg');

  // In frames and objects of a page of ours, which its own policy would allow.
  for (const id of [html, svg]) {
    for (const path of ['view', 'content']) {
      const loaded = await page.evaluate(async (address) => {
        const frame = document.createElement('iframe');
        frame.src = address;
        const loaded = new Promise((resolve) => setTimeout(resolve, 5000, 'nothing'));
        const done = new Promise((resolve) => frame.addEventListener('load', resolve));
        document.body.append(frame);
        await Promise.race([loaded, done]);
        const text = (() => { try { return frame.contentDocument?.body?.innerText ?? ''; } catch { return ''; } })();
        frame.remove();
        return text;
      }, `/f/${id}/${path}`);
      expect(loaded, `/f/…/${path} in a frame`).not.toContain('Hello');
    }
  }
  expect(await page.evaluate(() => 'ran' in window)).toBe(false);
  expect(escaped).toEqual([]);
});

test('the page of a file shows it, renames, copies, deletes and takes back', async ({ page, context, server }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const library = new Library(page);
  await page.goto('/files');
  const id = await library.id('g text.txt');
  await page.goto(`/f/${id}`);
  await expect(page.getByRole('region', { name: 'Text of g text.txt' })).toHaveText('纯文本 — plain');
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await page.getByRole('button', { name: 'Copy the link of g text.txt' }).click();
  await expect.poll(copied).toBe(`${server.url}/f/${id}`);
  await page.getByRole('button', { name: 'Copy the line that checks g text.txt' }).click();
  await expect.poll(copied).toMatch(/^echo '[0-9a-f]{64} {2}g text\.txt' \| b3sum --check$/);

  await page.locator('summary', { hasText: 'Rename' }).click();
  await page.getByLabel('New name').fill('h.md');
  await page.getByLabel('New name').press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'h.md' })).toBeVisible();
  await page.getByRole('button', { name: 'Delete h.md' }).click();
  await expect(page.getByText('This file was deleted')).toBeVisible();
  expect(server.files()).not.toContain('h.md');
  await page.getByRole('button', { name: 'Take back h.md' }).click();
  await expect(page.getByRole('region', { name: 'Text of h.md' })).toBeVisible();
  expect(server.files()).toContain('h.md');
});

test('a PDF is shown by the reader of the browser, where it has one', async ({ page }) => {
  const library = new Library(page);
  await page.goto('/files');
  const id = await library.id('e paper.pdf');
  await page.goto(`/f/${id}`);
  const enabled = await page.evaluate(() => navigator.pdfViewerEnabled);
  if (enabled) {
    // The reader puts itself in the place of the file, out of a test's sight; what a policy
    // refuses to frame has the address of an error.
    await expect(page.locator('iframe')).toBeVisible();
    const address = new URL(`/f/${id}/view`, page.url()).href;
    await expect.poll(() => page.frames().map((frame) => frame.url())).toContain(address);
  } else {
    await expect(page.locator('iframe')).toHaveCount(0);
  }
  await expect(page.getByRole('link', { name: 'Open in a new tab' })).toHaveAttribute('href', `/f/${id}/view`);
});

test.describe('where JavaScript is off', () => {
  test('the page of a file shows it all the same', async ({ page, browser, server }) => {
    const library = new Library(page);
    await page.goto('/files');
    const ids = { text: await library.id('g text.txt'), picture: await library.id('a picture.png') };
    const plain = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
    const without = await plain.newPage();
    await without.goto(`/f/${ids.text}`);
    await expect(without.locator('pre')).toHaveText('纯文本 — plain');
    await without.goto(`/f/${ids.picture}`);
    const image = without.getByRole('img', { name: 'a picture.png' });
    await expect.poll(() => image.boundingBox()).toMatchObject({ width: 2 });
    await plain.close();
  });
});
