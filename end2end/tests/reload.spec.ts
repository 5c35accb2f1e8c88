import { basename } from 'node:path';
import { dropKept } from '../support/handles';
import { dialogues } from '../support/life';
import { KiB, MiB, b3sum, expect, mib, state, test } from '../support/test';
import { sum, twice } from '../support/wire';

const SIZE = 64 * MiB;

// Where no worker outlives the page.
test.use({ host: 'worker' });

test('after a reload at 40 % the row asks for the file; another one of the same name and size is refused, the right one continues', async ({ page, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const other = await files.random('other/film.mkv', SIZE);
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', 40);
  await page.reload();

  await uploads.expectState('film.mkv', 'needs-file');
  await expect(uploads.rows()).toHaveCount(1);
  await expect(uploads.row('film.mkv')).toContainText('Pick it again: only what is missing is sent');
  line.rate = Infinity;
  const before = line.sent.length;

  await uploads.pickAgain('film.mkv', other);
  await expect(uploads.row('film.mkv')).toContainText('This is not the same file');
  await uploads.expectState('film.mkv', 'needs-file');
  expect(line.sent.length, 'nothing of another file is sent').toBe(before);

  await uploads.pickAgain('film.mkv', source);
  await uploads.arrives('film.mkv');
  await expect(uploads.row('film.mkv')).toContainText('Continues from what was already here');
  await expect(uploads.row('film.mkv')).not.toContainText('This is not the same file');

  const { durable } = server.logged('an upload continues').at(-1) as unknown as { durable: number };
  state('durable at the reload', mib(durable));
  state('sent after it', mib(sum(line.sent.slice(before))));
  state('sent twice', mib(twice(line.sent)));
  expect(durable).toBeGreaterThan(0.4 * SIZE - MiB);
  expect(sum(line.sent.slice(before)), 'only what is missing is sent').toBe(SIZE - durable);
  expect(await b3sum(server.stored('film.mkv'))).toBe(await b3sum(source));
  expect(server.files()).toEqual(['film.mkv']);
  expect(server.parts()).toEqual([]);
});

test('a file of another size is refused at once', async ({ page, wire, uploads, files }) => {
  const source = await files.random('film.mkv', 48 * MiB);
  const shorter = await files.random('shorter/film.mkv', 47 * MiB);
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', 20);
  await page.reload();
  await uploads.expectState('film.mkv', 'needs-file');
  const before = line.sent.length;
  await uploads.pickAgain('film.mkv', shorter);
  await expect(uploads.row('film.mkv')).toContainText('This is not the same file');
  await uploads.expectState('film.mkv', 'needs-file');
  expect(line.sent.length).toBe(before);
});

test('picking the file as at first, after a reload, continues its upload as well', async ({ page, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', 48 * MiB);
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', 40);
  await page.reload();
  await uploads.expectState('film.mkv', 'needs-file');
  line.rate = Infinity;
  await uploads.pick(source);
  await uploads.arrives('film.mkv');
  await expect(uploads.rows()).toHaveCount(1);
  expect(server.files()).toEqual(['film.mkv']);
  expect(twice(line.sent)).toBeLessThan(24 * MiB);
});

test('of files that were written down together, those that are stored are forgotten, and each of the others goes on from its own handle', async ({ page, server, wire, uploads, files }) => {
  const [a, c] = await Promise.all(['a.txt', 'c.txt'].map((name) => files.random(name, 4 * KiB)));
  const [b, d] = await Promise.all(['b.mkv', 'd.mkv'].map((name) => files.random(name, 24 * MiB)));
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  await dropKept(page, a, b, c, d);
  for (const path of [a, c]) await uploads.arrives(basename(path));
  for (const path of [b, d]) await uploads.reaches(basename(path), 20);
  await page.reload();
  await expect(uploads.rows()).toHaveCount(2);
  line.rate = Infinity;
  for (const path of [b, d]) {
    const name = basename(path);
    await uploads.arrives(name);
    await expect(uploads.row(name)).toContainText('Continues from what was already here');
    expect(await b3sum(server.stored(name))).toBe(await b3sum(path));
  }
  await expect(uploads.rows()).toHaveCount(2);
  await page.reload();
  await expect(page.locator('[data-engine]')).toBeAttached();
  await uploads.pick(await files.text('e.txt', 'the last one'));
  await uploads.arrives('e.txt');
  await expect(uploads.rows(), 'what is stored is not asked for').toHaveCount(1);
  expect(server.files()).toEqual(['a.txt', 'b.mkv', 'c.txt', 'd.mkv', 'e.txt']);
});

test('a person who leaves while the page is sending is asked first, and only then', async ({ page, wire, uploads, files }) => {
  const line = await wire(4 * MiB);
  await page.goto(line.url);
  const asked = dialogues(page);
  // Browsers ask only a person who did something on the page.
  await page.getByRole('heading', { level: 1 }).click();
  await page.reload();
  expect(asked).toEqual([]);
  await page.getByRole('heading', { level: 1 }).click();
  await uploads.pick(await files.random('film.mkv', 32 * MiB));
  await uploads.expectState('film.mkv', 'sending');
  await page.reload();
  expect(asked).toEqual(['beforeunload']);
});
