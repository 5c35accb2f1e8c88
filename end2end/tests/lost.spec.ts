import { MiB, b3sum, expect, mib, state, test } from '../support/test';
import { sum, twice } from '../support/wire';

const SIZE = 64 * MiB;

test('the connection is cut at 40 %: the upload goes on by itself, and only what was not durable is sent again', async ({ page, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  const seen = await uploads.watchConnection();
  await uploads.pick(source);
  await uploads.reaches('film.mkv', 40);
  line.cut();
  await expect.poll(() => line.opened).toBe(2);
  const before = sum(line.sent.filter(({ connection }) => connection === 0));
  line.rate = Infinity;
  await uploads.arrives('film.mkv');
  await uploads.expectConnection('idle');

  const [{ durable }] = server.logged('an upload continues') as unknown as { durable: number }[];
  state('sent twice', mib(twice(line.sent)));
  expect(line.bytes - before).toBe(SIZE - durable);
  expect(twice(line.sent)).toBe(before - durable);
  expect(line.most).toBe(1);
  const states = await seen();
  state('states of the connection', states.join(', '));
  expect(states).toEqual(['idle', 'connecting', 'open', 'waiting', 'connecting', 'open', 'idle']);
  expect(await b3sum(server.stored('film.mkv'))).toBe(await b3sum(source));
});

test('while the server cannot be reached the page says so, counts the seconds to the next try, and tries at once when asked', async ({ page, wire, uploads, files }) => {
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  await uploads.pick(await files.random('film.mkv', 32 * MiB));
  await uploads.reaches('film.mkv', 20);
  const words = await uploads.watchWords();
  line.down();
  await uploads.expectState('film.mkv', 'waiting');
  // After many quick tries, which Chromium slows down, the pauses grow up to ten seconds; one of them is long enough to be read.
  await expect(uploads.connection).toContainText(/Connection lost. Next try in [2-9] s/, { timeout: 100_000 });
  await expect(uploads.connection.getByRole('status')).toHaveText('Connection lost. It tries again by itself.');
  const tried = new Set(await words());
  expect([...tried].filter((said) => !said.startsWith('Connection lost.')), 'tries change no word').toEqual(['Connected']);
  line.up();
  await uploads.connection.getByRole('button', { name: 'Try now' }).click();
  await uploads.arrives('film.mkv');
});

test('without a network the page says so, and goes on the moment there is one', async ({ page, context, wire, uploads, files }) => {
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  await uploads.pick(await files.random('film.mkv', 32 * MiB));
  await uploads.reaches('film.mkv', 20);
  line.down();
  await uploads.expectConnection('waiting');
  await context.setOffline(true);
  await uploads.expectConnection('offline');
  await expect(uploads.connection.getByRole('status')).toHaveText('No network');
  await uploads.expectState('film.mkv', 'waiting');
  line.up();
  await context.setOffline(false);
  await uploads.arrives('film.mkv');
});
