import { MiB, b3sum, expect, mib, state, test } from '../support/test';
import { sum, twice } from '../support/wire';

const SIZE = 96 * MiB;
/** How much the server lets a client have on the way: its credit. */
const WINDOW = 8 * MiB;

test('the server is killed at 40 % and started again: the page goes on by itself, and only what was not durable is sent again', async ({ page, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', 40);
  await server.kill();
  await uploads.expectState('film.mkv', 'waiting');
  await uploads.expectConnection('waiting');
  await expect(uploads.connection).toContainText('Connection lost');
  const before = line.sent.length;

  line.rate = Infinity;
  await server.start();
  await uploads.arrives('film.mkv');
  await expect(uploads.row('film.mkv')).toContainText('Continues from what was already here');

  // The server says on which of its bytes it builds. Everything else that went over
  // the wire before was not durable at the kill.
  const [{ durable }] = server.logged('an upload continues') as unknown as { durable: number }[];
  const notDurable = sum(line.sent.slice(0, before)) - durable;
  const again = twice(line.sent);
  state('sent before the kill', mib(sum(line.sent.slice(0, before))));
  state('of that durable', mib(durable));
  state('sent twice', mib(again));
  expect(durable).toBeGreaterThan(0.4 * SIZE - MiB);
  expect(again, 'what is sent twice was not durable').toBe(notDurable);
  expect(line.bytes - sum(line.sent.slice(0, before)), 'what was durable is not sent again').toBe(SIZE - durable);
  // What is not durable is the window, and what arrived since the last commit: the
  // server commits every 16 MiB, or every 250 ms.
  expect(again).toBeLessThanOrEqual(WINDOW + 16 * MiB);

  const digest = await b3sum(source);
  expect(await b3sum(server.stored('film.mkv'))).toBe(digest);
  expect(server.logged('a file is stored')).toMatchObject([{ digest }]);
  expect(server.parts()).toEqual([]);
});

test('the server is stopped and started again: it says 1012, and the page goes on by itself from what is durable', async ({ page, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', 48 * MiB);
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', 40);
  await server.stop();
  await uploads.expectState('film.mkv', 'waiting');
  expect(server.logged('a connection ended')).toMatchObject([{ code: 1012 }]);
  const before = sum(line.sent);

  line.rate = Infinity;
  await server.start();
  await uploads.arrives('film.mkv');
  const [{ durable }] = server.logged('an upload continues') as unknown as { durable: number }[];
  state('sent twice', mib(twice(line.sent)));
  expect(line.bytes - before).toBe(48 * MiB - durable);
  expect(twice(line.sent)).toBeLessThanOrEqual(WINDOW + MiB);
  expect(await b3sum(server.stored('film.mkv'))).toBe(await b3sum(source));
});

test('the server is killed again and again, while many files come in, and all of them arrive', async ({ page, server, wire, uploads, files }) => {
  const names = Array.from({ length: 8 }, (_, n) => `part-${n}.bin`);
  const sources = await Promise.all(names.map((name) => files.random(name, 6 * MiB)));
  const line = await wire(16 * MiB);
  await page.goto(line.url);
  await uploads.pick(sources);
  for (const percent of [15, 45, 75]) {
    const total = uploads.totals.getByRole('progressbar');
    await expect
      .poll(async () => Number(await total.getAttribute('aria-valuenow')), { timeout: 60_000 })
      .toBeGreaterThanOrEqual(percent);
    await server.kill();
    await server.start();
  }
  await uploads.arrived(8);
  expect(server.files()).toEqual(names);
  for (const [n, name] of names.entries()) {
    expect(await b3sum(server.stored(name)), name).toBe(await b3sum(sources[n]));
  }
  expect(server.parts()).toEqual([]);
});
