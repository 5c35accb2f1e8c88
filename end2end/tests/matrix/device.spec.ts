import { AT_RISK, BREAK, RATE, SIZE, arrivesWhole, now, survived } from '../../support/matrix';
import { expect, test } from '../../support/test';
import { Uploads } from '../../support/uploads';

test('another device has the same file', async ({ page, browser, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const line = await wire(RATE);
  const first = await browser.newContext();
  const there = new Uploads(await first.newPage());
  await there.page.goto(line.url);
  await there.pick(source);
  await there.reaches('film.mkv', BREAK);
  await first.close();
  await expect.poll(() => server.logged('a connection ended')).toHaveLength(1);
  const before = line.bytes;

  await page.goto(line.url);
  line.rate = Infinity;
  const clear = now();
  await uploads.pick(source);
  await arrivesWhole(uploads, server, 'film.mkv', source);
  await expect(uploads.row('film.mkv')).toContainText('Continues from what was already here');
  const [{ durable }] = server.logged('another device continues an upload') as unknown as { durable: number }[];
  expect(line.bytes - before, 'only what was not durable is sent').toBe(SIZE - durable);
  const { twice } = survived('the same file is picked on another device', clear, [line], 'picks the file there');
  expect(twice).toBeLessThanOrEqual(AT_RISK);
});
