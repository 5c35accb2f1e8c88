import { AT_RISK, BREAK, RATE, SIZE, arrivesWhole, continued, lasts, now, survived } from '../../support/matrix';
import { expect, test } from '../../support/test';
import { sum } from '../../support/wire';

test('the network is gone, and back', async ({ page, context, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const line = await wire(RATE);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', BREAK);
  line.down();
  await context.setOffline(true);
  await uploads.expectConnection('offline');
  await uploads.expectState('film.mkv', 'waiting');
  const before = sum(line.sent);
  await lasts(10_000);

  line.up();
  line.rate = Infinity;
  const clear = now();
  await context.setOffline(false);
  await arrivesWhole(uploads, server, 'film.mkv', source);
  const [durable] = continued(server);
  expect(line.bytes - before).toBe(SIZE - durable);
  const { resumed, twice } = survived('the network is gone for 10 s', clear, [line]);
  expect(resumed, 'at once').toBeLessThan(2000);
  expect(twice).toBeLessThanOrEqual(AT_RISK);
  expect([line.opened, line.most]).toEqual([2, 1]);
});

for (const [host, what] of [
  ['shared', 'the socket is cut'],
  ['page', 'the socket is cut, without any worker'],
] as const) {
  test.describe(`the engine is in ${host === 'shared' ? 'a shared worker' : 'the page'}`, () => {
    test.use({ host });

    test(what, async ({ page, server, wire, uploads, files }) => {
      const source = await files.random('film.mkv', SIZE);
      const line = await wire(RATE);
      await page.goto(line.url);
      await expect(uploads.connection).toHaveAttribute('data-engine', host);
      await uploads.pick(source);
      await uploads.reaches('film.mkv', BREAK);
      line.cut();
      line.rate = Infinity;
      const [clear, before] = [now(), sum(line.sent)];
      await arrivesWhole(uploads, server, 'film.mkv', source);

      const [durable] = continued(server);
      expect(line.bytes - before, 'only what was not durable is sent again').toBe(SIZE - durable);
      const { resumed, twice } = survived(what, clear, [line]);
      expect(resumed).toBeLessThan(3000);
      expect(twice).toBeLessThanOrEqual(AT_RISK);
      expect([line.opened, line.most]).toEqual([2, 1]);
    });
  });
}
