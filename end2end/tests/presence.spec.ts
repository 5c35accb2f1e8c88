import type { Page } from '@playwright/test';
import { dropKept } from '../support/handles';
import { dialogues } from '../support/life';
import { KiB, MiB, expect, test } from '../support/test';
import { Uploads } from '../support/uploads';

/** Writes down what the page asks of the screen. */
async function watchScreen(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript(() => {
    const said: string[] = [];
    const request = navigator.wakeLock.request.bind(navigator.wakeLock);
    navigator.wakeLock.request = async (kind) => {
      said.push('request');
      const lock = await request(kind);
      said.push('held');
      lock.addEventListener('release', () => said.push('released'));
      return lock;
    };
    (window as any).screenSaid = said;
  });
  return () => page.evaluate(() => (window as any).screenSaid);
}

/** A page that stands before the others of its browser. */
async function another(page: Page): Promise<Page> {
  const front = await page.context().newPage();
  await front.goto('about:blank');
  await front.bringToFront();
  await expect.poll(() => page.evaluate(() => document.visibilityState)).toBe('hidden');
  return front;
}

test('the screen stays on while something is sent and the page is in sight, and no longer', async ({ chromium, wire, files }) => {
  const line = await wire(4 * MiB);
  const page = await chromium.start();
  const said = await watchScreen(page);
  const uploads = new Uploads(page);
  await page.goto(line.url);
  await uploads.pick(await files.random('film.mkv', 40 * MiB));
  await uploads.expectState('film.mkv', 'sending');
  await expect.poll(said).toEqual(['request', 'held']);
  const front = await another(page);
  await expect.poll(said).toEqual(['request', 'held', 'released']);
  await front.close();
  await page.bringToFront();
  await expect.poll(said).toEqual(['request', 'held', 'released', 'request', 'held']);
  await uploads.button('film.mkv', 'Pause').click();
  await uploads.expectState('film.mkv', 'paused');
  await expect.poll(said).toEqual(['request', 'held', 'released', 'request', 'held', 'released']);
});

test('the icon in the tab shows a ring while there is progress, and is the plain one again', async ({ page, wire, uploads, files }) => {
  const line = await wire(8 * MiB);
  await page.goto(line.url);
  const icon = page.locator('link[rel=icon]');
  await expect(icon).toHaveAttribute('href', '/favicon.svg');
  await uploads.pick(await files.random('film.mkv', 24 * MiB));
  await uploads.reaches('film.mkv', 25);
  await expect(icon).toHaveAttribute('href', /^data:image\/svg\+xml,.*stroke-dasharray='\d+ 24'/);
  const drawn = await icon.evaluate(async (link: HTMLLinkElement) => {
    const image = Object.assign(new Image(), { src: link.href });
    await image.decode();
    return image.naturalWidth > 0;
  });
  expect(drawn).toBe(true);
  line.rate = Infinity;
  await uploads.arrives('film.mkv');
  await expect(icon).toHaveAttribute('href', '/favicon.svg');
});

test.describe('a notification', () => {
  test('is offered while something is sent, and asked for only by a click', async ({ page, context, wire, uploads, files }) => {
    await page.addInitScript(() => {
      let allowed: NotificationPermission = 'default';
      (window as any).asked = 0;
      Object.defineProperty(Notification, 'permission', { get: () => allowed });
      Notification.requestPermission = async () => {
        (window as any).asked++;
        return (allowed = 'granted');
      };
    });
    const offer = page.getByRole('button', { name: 'Tell me when it is done' });
    const line = await wire(2 * MiB);
    await page.goto(line.url);
    await expect(offer).toBeHidden();
    await uploads.pick(await files.random('film.mkv', 64 * MiB));
    await expect(offer).toBeVisible();
    expect(await page.evaluate(() => (window as any).asked)).toBe(0);
    await offer.click();
    await expect(page.getByText('You will be told when it is done.')).toBeFocused();
    await expect(offer).toBeHidden();
    expect(await page.evaluate(() => (window as any).asked)).toBe(1);
    line.rate = Infinity;
    await uploads.arrives('film.mkv');
    await expect(page.getByText('You will be told')).toBeHidden();
  });

  test('comes when all is done, if no page of ours is in sight', async ({ chromium, wire, files }) => {
    const line = await wire(4 * MiB);
    const page = await chromium.start();
    const context = page.context();
    await context.grantPermissions(['notifications'], { origin: line.url });
    const shown = () => page.evaluate(async () => {
      const there = await (await navigator.serviceWorker.ready).getNotifications();
      return there.map(({ title, body }) => ({ title, body }));
    });
    const uploads = new Uploads(page);
    await page.goto(line.url);
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));

    // In sight: it is seen anyway.
    await uploads.pick(await files.random('seen.bin', 512 * KiB));
    await uploads.arrives('seen.bin');

    await uploads.pick(await files.random('film.mkv', 12 * MiB));
    await uploads.expectState('film.mkv', 'sending');
    const other = await context.newPage();
    await other.goto(`${line.url}/files`);
    await other.bringToFront();
    await uploads.arrives('film.mkv');
    await uploads.pick(await files.random('second.mkv', 12 * MiB));
    await uploads.expectState('second.mkv', 'sending');
    await other.goto('about:blank');
    await uploads.arrives('second.mkv');
    await expect.poll(shown).toEqual([{ title: '3 files stored', body: 'Everything has arrived and is verified.' }]);
  });
});

test.describe('without a shared worker', () => {
  test.use({ host: 'worker' });

  for (const [what, asks] of [['only this page has', true], ['the browser finds again', false]] as const) {
    test(`whoever leaves while a file is sent that ${what} is ${asks ? '' : 'not '}asked first`, async ({ page, wire, uploads, files }) => {
      const line = await wire(4 * MiB);
      await page.goto(line.url);
      const asked = dialogues(page);
      const source = await files.random('film.mkv', 32 * MiB);
      if (asks) await uploads.pick(source);
      else await dropKept(page, source);
      await uploads.expectState('film.mkv', 'sending');
      // Browsers ask only a person who did something on the page.
      await page.getByRole('heading', { level: 1 }).click();
      await page.reload();
      expect(asked).toEqual(asks ? ['beforeunload'] : []);
    });
  }
});
