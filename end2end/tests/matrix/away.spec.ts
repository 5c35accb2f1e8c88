import { dropPaths } from '../../support/drop';
import { allowReading, dropKept } from '../../support/handles';
import { AT_RISK, BREAK, RATE, SIZE, arrivesWhole, continued, lasts, now, survived } from '../../support/matrix';
import { MiB, expect, state, test } from '../../support/test';
import { follow, rememberShows, travel } from '../../support/travel';
import { Uploads } from '../../support/uploads';
import { longestPause } from '../../support/wire';

test('the browser is killed, and started again with the same profile', async ({ chromium, server, wire, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const line = await wire(RATE);
  const page = await chromium.start();
  await page.goto(line.url);
  await dropPaths(page, [source]);
  await new Uploads(page).reaches('film.mkv', BREAK);
  await chromium.kill();
  const before = line.bytes;

  const again = await chromium.start();
  const uploads = new Uploads(again);
  await again.goto(line.url);
  await uploads.expectState('film.mkv', 'needs-file');
  await expect(uploads.row('film.mkv')).toContainText('The browser remembers where this file is');
  await allowReading(again, source);
  line.rate = Infinity;
  const clear = now();
  await uploads.button('film.mkv', 'Continue').click();
  await arrivesWhole(uploads, server, 'film.mkv', source);
  expect(line.bytes - before, 'only what was not durable is sent again').toBe(SIZE - continued(server)[0]);
  const what = 'the browser is killed (SIGKILL), and started again';
  const { twice } = survived(what, clear, [line], 'one click, and allows it');
  expect(twice).toBeLessThanOrEqual(AT_RISK);
});

test('a link to another site, and back by an address', async ({ chromium, elsewhere, server, wire, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const line = await wire(RATE);
  const page = await chromium.start();
  const uploads = new Uploads(page);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', BREAK);
  const clear = now();
  await follow(page, elsewhere);
  const left = line.bytes;
  await expect.poll(() => line.bytes, { message: 'it is sent meanwhile' }).toBeGreaterThan(left + 8 * MiB);
  await page.goto(line.url);
  await uploads.expectState('film.mkv', 'sending');
  line.rate = Infinity;
  await arrivesWhole(uploads, server, 'film.mkv', source);
  const { twice } = survived('a link to another site, and back', clear, [line]);
  expect(twice).toBe(0);
  expect(longestPause(line.sent)).toBeLessThan(1500);
  expect([line.opened, line.most]).toEqual([1, 1]);
});

test.describe('without a shared worker', () => {
  test.use({ host: 'worker' });

  test('a link to another site, and back by an address', async ({ chromium, elsewhere, server, wire, files }) => {
    const source = await files.random('film.mkv', SIZE);
    const line = await wire(RATE);
    const page = await chromium.start();
    const uploads = new Uploads(page);
    await page.goto(line.url);
    await dropKept(page, source);
    await uploads.reaches('film.mkv', BREAK);
    await follow(page, elsewhere);
    await lasts(5000);
    line.rate = Infinity;
    const clear = now();
    await page.goto(line.url);
    await arrivesWhole(uploads, server, 'film.mkv', source);
    const what = 'a link to another site, and back, without a shared worker, with a handle that may be read';
    const { twice } = survived(what, clear, [line]);
    expect(twice).toBeLessThanOrEqual(AT_RISK);
  });
});

test('back, where the back/forward cache does not take the page: the only tab of a shared worker', async ({ chromium, elsewhere, server, wire, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const line = await wire(RATE);
  const page = await chromium.start();
  const uploads = new Uploads(page);
  await rememberShows(page);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', BREAK);
  const clear = now();
  await follow(page, elsewhere);
  await travel(page, 'back', `${line.url}/`);
  await uploads.expectState('film.mkv', 'sending');
  line.rate = Infinity;
  await arrivesWhole(uploads, server, 'film.mkv', source);
  const { twice } = survived('back and forward, in the only tab', clear, [line]);
  expect(twice).toBe(0);
  expect([line.opened, line.most]).toEqual([1, 1]);
});

for (const [host, where] of [
  ['shared', 'a shared worker'],
  ['worker', 'a worker of the tab'],
] as const) {
  test.describe(`through the back/forward cache, beside another tab, in ${where}`, () => {
    test.use({ host });

    test('once', async ({ chromium, elsewhere, server, wire, files }) => {
      const source = await files.random('film.mkv', SIZE);
      const line = await wire(RATE);
      const other = await chromium.start();
      await other.goto(`${line.url}/files`);
      const page = await other.context().newPage();
      const uploads = new Uploads(page);
      await rememberShows(page);
      await page.goto(line.url);
      await uploads.pick(source);
      await uploads.reaches('film.mkv', BREAK);
      const clear = now();
      // A report of the engine that is on its way while the page leaves keeps it out of the cache.
      let restored = false;
      for (let n = 0; n < 5 && !restored; n++) {
        await follow(page, elsewhere);
        const left = line.bytes;
        await expect.poll(() => line.bytes, { message: 'it is sent meanwhile' }).toBeGreaterThan(left + MiB);
        restored = await travel(page, 'back', `${line.url}/`);
      }
      expect(restored, 'the page is as it was left').toBe(true);
      const before = await uploads.percent('film.mkv');
      await uploads.reaches('film.mkv', before + 5);
      await uploads.expectState('film.mkv', 'sending');
      line.rate = Infinity;
      await arrivesWhole(uploads, server, 'film.mkv', source);
      const { twice } = survived(`back and forward through the cache, one of two tabs, in ${where}`, clear, [line]);
      expect(twice).toBeLessThanOrEqual(host === 'shared' ? 0 : AT_RISK);
      expect(line.most).toBe(1);
    });

    test('fifty times in quick succession', async ({ chromium, elsewhere, server, wire, files }) => {
      const source = await files.random('film.mkv', SIZE);
      const line = await wire(RATE / 4);
      const other = await chromium.start();
      await other.goto(`${line.url}/files`);
      const page = await other.context().newPage();
      const uploads = new Uploads(page);
      await rememberShows(page);
      await page.goto(line.url);
      await uploads.pick(source);
      await uploads.reaches('film.mkv', 5);
      await follow(page, elsewhere);
      let cached = 0;
      for (let n = 0; n < 50; n++) {
        if (await travel(page, 'back', `${line.url}/`)) cached += 1;
        await travel(page, 'forward', elsewhere);
      }
      const clear = now();
      await travel(page, 'back', `${line.url}/`);
      line.rate = Infinity;
      await arrivesWhole(uploads, server, 'film.mkv', source);
      state('through the cache', cached);
      expect(cached).toBeGreaterThan(10);
      const { twice } = survived(`fifty times back and forward, one of two tabs, in ${where}`, clear, [line]);
      expect(twice).toBeLessThanOrEqual(host === 'shared' ? 0 : AT_RISK);
      expect(line.most).toBe(1);
    });
  });
}
