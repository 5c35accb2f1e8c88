import { join } from 'node:path';
import { HOSTS } from '../support/hosts';
import { MiB, b3sum, expect, test } from '../support/test';

test('one upload is paused and goes on from there', async ({ page, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', 32 * MiB);
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', 20);
  await uploads.button('film.mkv', 'Pause').click();
  await uploads.expectState('film.mkv', 'paused');
  await uploads.expectConnection('idle');
  const paused = await uploads.percent('film.mkv');
  expect(paused).toBeGreaterThanOrEqual(20);
  expect(paused).toBeLessThan(100);
  const before = line.bytes;

  await uploads.button('film.mkv', 'Resume').click();
  await uploads.arrives('film.mkv');
  expect(await b3sum(server.stored('film.mkv'))).toBe(await b3sum(source));
  const [{ durable }] = server.logged('an upload continues') as unknown as { durable: number }[];
  expect(line.bytes - before, 'only what is missing is sent').toBe(32 * MiB - durable);
});

test('all uploads are paused and resumed together', async ({ page, server, wire, uploads, files }) => {
  const names = ['a.bin', 'b.bin', 'c.bin', 'd.bin', 'e.bin', 'f.bin'];
  const line = await wire(8 * MiB);
  await page.goto(line.url);
  await uploads.pick(await Promise.all(names.map((name) => files.random(name, 4 * MiB))));
  await expect(uploads.rows('sending')).toHaveCount(4);
  await uploads.totals.getByRole('button', { name: 'Pause all' }).click();
  await expect(uploads.rows('paused').or(uploads.rows('stored'))).toHaveCount(6);
  await expect(uploads.rows('paused')).not.toHaveCount(0);
  await expect(uploads.totals.getByRole('button', { name: 'Pause all' })).toBeHidden();
  await uploads.expectConnection('idle');
  line.rate = Infinity;
  await uploads.totals.getByRole('button', { name: 'Resume all' }).click();
  await uploads.arrived(6);
  expect(server.files()).toEqual(names);
});

test('cancelling asks first, and deletes what is on the disk', async ({ page, server, wire, uploads, files }) => {
  const line = await wire(8 * MiB);
  await page.goto(line.url);
  await uploads.pick(await files.random('film.mkv', 32 * MiB));
  await uploads.reaches('film.mkv', 10);
  expect(server.parts()).toHaveLength(1);

  await uploads.button('film.mkv', 'Cancel').click();
  const question = uploads.row('film.mkv').getByRole('group', { name: 'Cancel film.mkv' });
  await expect(question).toContainText('are deleted');
  await expect(question.getByRole('button', { name: 'Keep it' }), 'the safe answer has the focus').toBeFocused();
  await question.getByRole('button', { name: 'Keep it' }).click();
  await expect(uploads.row('film.mkv')).toBeVisible();

  await uploads.button('film.mkv', 'Cancel').click();
  await question.getByRole('button', { name: 'Cancel upload' }).click();
  await expect(uploads.rows()).toHaveCount(0);
  await expect.poll(() => server.parts()).toEqual([]);
  expect(server.files()).toEqual([]);
  await expect.poll(() => server.logged('an upload was cancelled')).toHaveLength(1);
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Drop files anywhere' })).toBeVisible();
  await expect(uploads.rows()).toHaveCount(0);
});

test('a folder is paused, resumed and cancelled as one, and nothing beside it', async ({ page, server, wire, uploads, files }) => {
  for (const name of ['a.bin', 'b.bin', 'c.bin']) await files.random(`trip/${name}`, 8 * MiB);
  const beside = await files.random('beside.bin', 8 * MiB);
  const line = await wire(4 * MiB);
  await page.goto(line.url);
  await uploads.pickFolder(join(files.folder, 'trip'));
  await uploads.pick(beside);
  await uploads.reaches('a.bin', 10);
  const folder = uploads.folder('trip');
  const button = (verb: string) => folder.getByRole('button', { name: `${verb} trip`, exact: true });

  await button('Pause').click();
  await expect(uploads.rows('paused')).toHaveCount(3);
  await expect(uploads.row('beside.bin')).not.toHaveAttribute('data-state', 'paused');
  await expect(button('Resume'), 'it is the same button').toBeFocused();
  await button('Resume').click();
  await expect(uploads.rows('paused')).toHaveCount(0);

  await button('Cancel').click();
  const question = folder.getByRole('group', { name: 'Cancel trip' });
  await expect(question).toContainText('Cancel 3 uploads?');
  await question.getByRole('button', { name: 'Keep going' }).click();
  await expect(button('Cancel')).toBeFocused();
  await button('Cancel').click();
  await question.getByRole('button', { name: 'Cancel uploads' }).click();
  await expect(folder).toHaveCount(0);
  line.rate = Infinity;
  await uploads.arrives('beside.bin');
  expect(server.files()).toEqual(['beside.bin']);
  await expect.poll(() => server.parts()).toEqual([]);
});

test('all uploads are cancelled together, and what has arrived stays', async ({ page, server, wire, uploads, files }) => {
  const line = await wire(8 * MiB);
  await page.goto(line.url);
  await uploads.pick(await files.text('done.txt', 'done'));
  await uploads.arrives('done.txt');
  await uploads.pick(await Promise.all(['a.bin', 'b.bin', 'c.bin'].map((name) => files.random(name, 16 * MiB))));
  await uploads.reaches('a.bin', 5);
  await uploads.totals.getByRole('button', { name: 'Cancel all' }).click();
  const question = uploads.totals.getByRole('group', { name: 'Cancel all uploads?' });
  await expect(question).toContainText('Cancel 3 uploads?');
  await question.getByRole('button', { name: 'Cancel all' }).click();
  await expect(page.getByLabel('Choose files'), 'the focus is not lost').toBeFocused();
  await expect(uploads.rows()).toHaveCount(1);
  await uploads.expectState('done.txt', 'stored');
  await expect.poll(() => server.parts()).toEqual([]);
  expect(server.files()).toEqual(['done.txt']);
  await uploads.totals.getByRole('button', { name: 'Clear finished' }).click();
  await expect(uploads.rows()).toHaveCount(0);
});

test('a paused upload is cancelled as well', async ({ page, server, wire, uploads, files }) => {
  const line = await wire(8 * MiB);
  await page.goto(line.url);
  await uploads.pick(await files.random('film.mkv', 32 * MiB));
  await uploads.reaches('film.mkv', 10);
  await uploads.button('film.mkv', 'Pause').click();
  await uploads.expectState('film.mkv', 'paused');
  await uploads.button('film.mkv', 'Cancel').click();
  await uploads.row('film.mkv').getByRole('button', { name: 'Cancel upload' }).click();
  await expect(uploads.rows()).toHaveCount(0);
  await expect.poll(() => server.parts()).toEqual([]);
});

test('an upload that was paused stays paused over a reload', async ({ page, wire, uploads, files, server }) => {
  const source = await files.random('film.mkv', 32 * MiB);
  const line = await wire(8 * MiB);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', 10);
  await uploads.button('film.mkv', 'Pause').click();
  await uploads.expectState('film.mkv', 'paused');
  await page.reload();
  await uploads.expectState('film.mkv', 'paused');
  line.rate = Infinity;
  await uploads.button('film.mkv', 'Resume').click();
  await uploads.arrives('film.mkv');
  expect(await b3sum(server.stored('film.mkv'))).toBe(await b3sum(source));
});

test('where windows cannot know of each other, what goes on in a second one is retried in the first', async ({ page, server, wire, uploads, files }) => {
  // No workers and no locks, as in a page that is not secure.
  await page.context().addInitScript(HOSTS.page);
  await page.context().addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
  const source = await files.random('film.mkv', 48 * MiB);
  const line = await wire(8 * MiB);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', 10);
  // The second window of the same browser finds the upload, and gets the file.
  const second = await page.context().newPage();
  const there = new (uploads.constructor as any)(second) as typeof uploads;
  await second.goto(line.url);
  await there.expectState('film.mkv', 'needs-file');
  await there.pickAgain('film.mkv', source);
  await uploads.expectState('film.mkv', 'failed');
  await expect(uploads.row('film.mkv')).toContainText('goes on in another window');
  await uploads.button('film.mkv', 'Retry').click();
  await there.expectState('film.mkv', 'failed');
  line.rate = Infinity;
  await uploads.arrives('film.mkv');
  expect(await b3sum(server.stored('film.mkv'))).toBe(await b3sum(source));
  expect(server.files()).toEqual(['film.mkv']);
});
