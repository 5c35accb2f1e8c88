import { BREAK, RATE, SIZE, arrivesWhole, lasts, now, survived } from '../../support/matrix';
import { canHaveDisks } from '../../support/server';
import { expect, test } from '../../support/test';

test.use({ disk: 2 * SIZE });
test.skip(!canHaveDisks(), 'A FULL DISK IS NOT TESTED: no disk of its own to be had here (unshare --user --mount)');

test('the disk is full during an upload, and then has space again', async ({ page, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const line = await wire(RATE);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', BREAK);
  const giveBack = await server.fillDisk();
  await uploads.expectState('film.mkv', 'waiting');
  await expect(uploads.row('film.mkv')).toContainText('The server’s disk is full. Nothing is lost');
  const before = await uploads.percent('film.mkv');
  // Longer than its first tries.
  await lasts(15_000);
  await uploads.expectState('film.mkv', 'waiting');
  expect(await uploads.percent('film.mkv')).toBeGreaterThanOrEqual(before);

  await giveBack();
  const clear = now();
  line.rate = Infinity;
  await arrivesWhole(uploads, server, 'film.mkv', source);
  const { resumed } = survived('the disk is full for 15 s', clear, [line]);
  expect(resumed).toBeLessThan(31_000);
});
