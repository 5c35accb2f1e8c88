import type { Page } from '@playwright/test';
import { comeToLife } from '../support/life';
import { MiB, b3sum, expect, test } from '../support/test';
import { Uploads } from '../support/uploads';

/** Opens the page, and waits until its service worker is there for what comes next. */
async function ready(page: Page, url = '/') {
  await page.goto(url);
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
}

/** Sends a file as a share sheet does: as a form that leads to another page. */
async function share(page: Page, path: string) {
  await page.evaluate(() => {
    document.body.insertAdjacentHTML('beforeend',
      '<form id="share" method="post" action="/share" enctype="multipart/form-data"><input type="file" name="files" multiple></form>');
  });
  await page.locator('#share input').setInputFiles(path);
  const there = page.waitForURL((url) => url.pathname === '/');
  await page.evaluate(() => (document.getElementById('share') as HTMLFormElement).submit());
  await there;
}

/** What is kept of what was shared. */
function kept(page: Page): Promise<number> {
  return page.evaluate(() => new Promise<number>((resolve, reject) => {
    const asked = indexedDB.open('longhaul-shared');
    asked.onerror = () => reject(asked.error);
    asked.onsuccess = () => {
      const count = asked.result.transaction('files').objectStore('files').count();
      count.onsuccess = () => resolve(count.result);
      asked.result.close();
    };
  }));
}

/** Has the page believe that it is installed. */
async function install(page: Page) {
  await page.addInitScript(() => {
    const match = window.matchMedia.bind(window);
    window.matchMedia = (query) => (query === '(display-mode: browser)' ? { ...match(query), matches: false } : match(query));
  });
}

test('what another app shares is sent after a question, and forgotten then', async ({ page, server, uploads, files }) => {
  const source = await files.random('film.mkv', 2 * MiB);
  await ready(page);
  await share(page, source);
  const question = page.getByRole('region', { name: '1 file was shared with Longhaul' });
  await expect(question).toContainText('film.mkv');
  await expect(page).toHaveURL('/');
  expect(server.files()).toEqual([]);
  await question.getByRole('button', { name: 'Send' }).click();
  await uploads.arrives('film.mkv');
  await expect(question).toBeHidden();
  expect(await b3sum(server.stored('film.mkv'))).toBe(await b3sum(source));
  await expect.poll(() => kept(page)).toBe(0);
  await page.reload();
  await uploads.arrives('film.mkv');
  expect(server.files()).toEqual(['film.mkv']);
});

test('what a person discards is forgotten', async ({ page, server, uploads, files }) => {
  await ready(page);
  await share(page, await files.text('notes.txt', 'words'));
  await page.getByRole('button', { name: 'Discard' }).click();
  await expect.poll(() => kept(page)).toBe(0);
  await expect(uploads.rows()).toHaveCount(0);
  expect(server.files()).toEqual([]);
});

test('an installed page takes it at once', async ({ page, server, uploads, files }) => {
  await install(page);
  await ready(page);
  await share(page, await files.text('notes.txt', 'words'));
  await uploads.arrives('notes.txt');
  expect(server.files()).toEqual(['notes.txt']);
  await expect.poll(() => kept(page)).toBe(0);
});

test('a browser that was killed goes on by itself with what was shared', async ({ chromium, server, wire, files }) => {
  const source = await files.random('film.mkv', 24 * MiB);
  const line = await wire(4 * MiB);
  const page = await chromium.start();
  await install(page);
  await ready(page, line.url);
  await share(page, source);
  await new Uploads(page).reaches('film.mkv', 20);
  await chromium.kill();

  const again = await chromium.start();
  const uploads = new Uploads(again);
  line.rate = Infinity;
  await again.goto(line.url);
  await uploads.arrives('film.mkv');
  await expect(uploads.rows()).toHaveCount(1);
  expect(await b3sum(server.stored('film.mkv'))).toBe(await b3sum(source));
  expect(server.files()).toEqual(['film.mkv']);
  await expect.poll(() => kept(again)).toBe(0);
});

test('the service worker answers for nothing else', async ({ page }) => {
  await ready(page);
  await page.reload();
  await comeToLife(page);
  expect(await page.evaluate(() => navigator.serviceWorker.controller?.scriptURL)).toContain('/sw.js');
  const served = await page.evaluate(() => performance.getEntriesByType('navigation').map((it) => (it as any).workerStart > 0 && (it as any).transferSize === 0));
  expect(served, 'pages come from the server').toEqual([false]);
  expect(await page.evaluate(() => caches.keys())).toEqual([]);
});

test('where there is no service worker yet, the server says what to do', async ({ page, request, server }) => {
  const answer = await request.post('/share', {
    // A share sheet is no page: browsers say so.
    headers: { origin: 'null' },
    multipart: { files: { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('words') } },
    maxRedirects: 0,
  });
  expect([answer.status(), answer.headers().location]).toEqual([303, '/?shared=not']);
  await page.goto('/?shared=not');
  await expect(page.getByText('What you shared could not be taken.')).toBeVisible();
  await page.getByRole('link', { name: 'All right' }).click();
  await expect(page.getByText('What you shared could not be taken.')).toBeHidden();
  expect(server.files()).toEqual([]);
});

test('the page can be installed, with icons and a share target', async ({ page, request }) => {
  await page.goto('/');
  const href = await page.locator('link[rel=manifest]').getAttribute('href');
  const answer = await request.get(href!);
  expect(answer.headers()['content-type']).toBe('application/manifest+json');
  const manifest = await answer.json();
  expect(manifest).toMatchObject({ name: 'Longhaul', start_url: '/', display: 'standalone', share_target: { action: '/share', method: 'POST' } });
  for (const { src, type, sizes } of [...manifest.icons, { src: '/apple-touch-icon.png', type: 'image/png', sizes: '180x180' }]) {
    const icon = await request.get(src);
    expect([src, icon.status(), icon.headers()['content-type']]).toEqual([src, 200, type]);
    const wide = await page.evaluate(async (src) => {
      const image = Object.assign(new Image(), { src });
      await image.decode();
      return image.naturalWidth;
    }, src);
    if (sizes !== 'any') expect(`${wide}x${wide}`).toBe(sizes);
  }
  // The browser itself finds nothing wrong with it.
  const debug = await page.context().newCDPSession(page);
  const { errors } = await debug.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  const { installabilityErrors } = await debug.send('Page.getInstallabilityErrors');
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')).toEqual([]);
});
