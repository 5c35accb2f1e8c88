import { MiB, b3sum, expect, state, test } from '../support/test';
import { longestPause } from '../support/wire';

test('an upload goes on over every route, over one socket', async ({ page, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', 96 * MiB);
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', 5);

  const pages = page.getByRole('navigation', { name: 'Pages' });
  const goesOn = async () => {
    const before = line.bytes;
    await expect.poll(() => line.bytes, { intervals: [20] }).toBeGreaterThan(before + MiB);
  };
  await pages.getByRole('link', { name: 'Files' }).click();
  await expect(page.getByRole('heading', { name: 'Files', level: 1 })).toBeVisible();
  await goesOn();
  await pages.getByRole('link', { name: 'Live' }).click();
  await expect(page.getByRole('heading', { name: 'Live', level: 1 })).toBeVisible();
  await expect(page.getByRole('list', { name: 'Live uploads' }).getByRole('listitem')).toHaveAttribute('data-name', 'film.mkv');
  await goesOn();
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Files', level: 1 })).toBeVisible();
  await goesOn();
  await pages.getByRole('link', { name: 'Uploads' }).click();
  await uploads.expectState('film.mkv', 'sending');
  await goesOn();
  line.rate = Infinity;
  await uploads.arrives('film.mkv');
  state('longest pause between two frames', `${longestPause(line.sent).toFixed(0)} ms`);
  expect(longestPause(line.sent)).toBeLessThan(3000);

  expect(await b3sum(server.stored('film.mkv'))).toBe(await b3sum(source));
  expect(line.bytes, 'nothing was sent twice').toBe(96 * MiB);
  expect([line.opened, line.most]).toEqual([1, 1]);
  await uploads.expectConnection('idle');
  await expect.poll(() => line.closed).toEqual([{ code: 1000, clean: true }]);
});

test('leaving /live with nothing to do closes the socket with 1000, and coming back opens one', async ({ page, server, wire, uploads }) => {
  const line = await wire();
  await page.goto(line.url);
  const pages = page.getByRole('navigation', { name: 'Pages' });
  for (const visit of [1, 2]) {
    await pages.getByRole('link', { name: 'Live' }).click();
    await expect(page.getByRole('heading', { name: 'Nothing is moving' })).toBeVisible();
    await uploads.expectConnection('open');
    await pages.getByRole('link', { name: 'Uploads' }).click();
    await uploads.expectConnection('idle');
    await expect.poll(() => server.logged('a connection ended').length).toBe(visit);
  }
  await expect.poll(() => line.closed).toHaveLength(2);
  state('how the sockets closed', JSON.stringify(line.closed));
  expect([line.opened, line.most]).toEqual([2, 1]);
  expect(line.closed).toEqual([{ code: 1000, clean: true }, { code: 1000, clean: true }]);
  expect(server.logged('a connection ended')).toMatchObject([{ code: 1000 }, { code: 1000 }]);
  expect(server.logged('a client connected')).toHaveLength(2);
});

test('a person who is about to choose files finds the connection open', async ({ page, wire, uploads, files }) => {
  const line = await wire();
  await page.goto(line.url);
  await expect(page.locator('[data-engine]')).toBeVisible();
  await uploads.expectConnection('idle');
  await page.getByText('Choose files').hover();
  await uploads.expectConnection('open');
  await uploads.pick(await files.text('notes.txt', 'words'));
  await uploads.arrives('notes.txt');
  expect([line.opened, line.most]).toEqual([1, 1]);
});

test('going back and forth quickly never opens a second socket', async ({ page, server, wire, uploads }) => {
  const line = await wire();
  await page.goto(line.url);
  const pages = page.getByRole('navigation', { name: 'Pages' });
  for (let n = 0; n < 6; n++) {
    await pages.getByRole('link', { name: 'Live' }).click();
    await expect(page.getByRole('heading', { name: 'Live', level: 1 })).toBeVisible();
    await pages.getByRole('link', { name: n % 2 ? 'Files' : 'Uploads' }).click();
    await expect(page.getByRole('heading', { name: 'Live', level: 1 })).toHaveCount(0);
  }
  await uploads.expectConnection('idle');
  await expect.poll(() => line.open).toBe(0);
  expect(line.most).toBe(1);
  await expect.poll(() => line.closed).toEqual(Array(line.opened).fill({ code: 1000, clean: true }));
  await expect.poll(() => server.logged('a connection ended').length).toBe(line.opened);
});
