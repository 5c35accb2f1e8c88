import { dropPaths } from '../../support/drop';
import { allowReading, dropKept } from '../../support/handles';
import { BREAK, RATE, SIZE, arrivesWhole, continued, now, survived } from '../../support/matrix';
import { MiB, expect, test } from '../../support/test';
import { Uploads } from '../../support/uploads';
import { longestPause, sum } from '../../support/wire';

test('one tab is reloaded, and there is a shared worker', async ({ page, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const line = await wire(RATE);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', BREAK);
  const clear = now();
  await page.reload();
  await uploads.expectState('film.mkv', 'sending');
  line.rate = Infinity;
  await arrivesWhole(uploads, server, 'film.mkv', source);
  const { twice } = survived('reload of the tab', clear, [line]);
  expect(twice).toBe(0);
  expect(longestPause(line.sent), 'the reload is not even noticed').toBeLessThan(1500);
  expect([line.opened, line.most]).toEqual([1, 1]);
});

test('three tabs are reloaded one after another, and there is a shared worker', async ({ page, context, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const line = await wire(RATE / 2);
  const tabs = [uploads, new Uploads(await context.newPage()), new Uploads(await context.newPage())];
  for (const { page } of tabs) await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', BREAK);
  const clear = now();
  for (const tab of tabs) {
    await tab.page.reload();
    await tab.expectState('film.mkv', 'sending');
  }
  line.rate = Infinity;
  for (const tab of tabs) await arrivesWhole(tab, server, 'film.mkv', source);
  const { twice } = survived('reload of three tabs', clear, [line]);
  expect(twice).toBe(0);
  expect(longestPause(line.sent)).toBeLessThan(1500);
  expect([line.opened, line.most]).toEqual([1, 1]);
});

test.describe('without a shared worker', () => {
  test.use({ host: 'worker' });

  test('the tab is reloaded, and the handle of the file may be read', async ({ page, server, wire, uploads, files }) => {
    const source = await files.random('film.mkv', SIZE);
    const line = await wire(RATE);
    await page.goto(line.url);
    await dropKept(page, source);
    await uploads.reaches('film.mkv', BREAK);
    const clear = now();
    await page.reload();
    const before = sum(line.sent);
    line.rate = Infinity;
    await arrivesWhole(uploads, server, 'film.mkv', source);
    expect(line.bytes - before, 'only what was not durable is sent again').toBe(SIZE - continued(server)[0]);
    const { twice } = survived('reload without a shared worker, with a handle that may be read', clear, [line]);
    expect(twice).toBeLessThanOrEqual(9 * MiB);
  });

  // In a profile that is not private, where handles are `prompt` after a reload.
  test('the tab is reloaded, and the browser asks before the handle of the file is read', async ({ chromium, server, wire, files }) => {
    const source = await files.random('film.mkv', SIZE);
    const line = await wire(RATE);
    const page = await chromium.start();
    const uploads = new Uploads(page);
    await page.goto(line.url);
    await dropPaths(page, [source]);
    await uploads.reaches('film.mkv', BREAK);
    await page.reload();
    await uploads.expectState('film.mkv', 'needs-file');
    await allowReading(page, source);
    const before = sum(line.sent);
    line.rate = Infinity;
    const clear = now();
    await uploads.button('film.mkv', 'Continue').click();
    await arrivesWhole(uploads, server, 'film.mkv', source);
    expect(line.bytes - before).toBe(SIZE - continued(server)[0]);
    const what = 'reload without a shared worker, with a handle that has to be asked for';
    const { twice } = survived(what, clear, [line], 'one click, and allows it');
    expect(twice).toBeLessThanOrEqual(9 * MiB);
  });

  test('the tab is reloaded, and there is no handle: it asks for the file by name, and refuses one that differs in a byte', async ({ page, server, wire, uploads, files }) => {
    const source = await files.random('film.mkv', SIZE);
    const line = await wire(RATE);
    await page.goto(line.url);
    await uploads.pick(source);
    await uploads.reaches('film.mkv', BREAK);
    await page.reload();
    await uploads.expectState('film.mkv', 'needs-file');
    await expect(uploads.row('film.mkv')).toContainText('Pick it again: only what is missing is sent');
    const before = sum(line.sent);

    // Within what the server has for certain.
    await uploads.pickAgain('film.mkv', await files.changed('changed/film.mkv', source, 0.1 * SIZE));
    await expect(uploads.row('film.mkv')).toContainText('This is not the same file');
    await uploads.expectState('film.mkv', 'needs-file');
    expect(line.bytes, 'nothing of it is sent').toBe(before);
    const refused = line.sent.length;

    line.rate = Infinity;
    const clear = now();
    await uploads.pickAgain('film.mkv', source);
    await arrivesWhole(uploads, server, 'film.mkv', source);
    expect(sum(line.sent.slice(refused))).toBe(SIZE - continued(server).at(-1)!);
    const { twice } = survived('reload without a shared worker or a handle', clear, [line], 'picks the file again');
    expect(twice).toBeLessThanOrEqual(9 * MiB);
  });
});
