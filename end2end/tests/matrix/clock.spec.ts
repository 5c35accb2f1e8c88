import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Chromium } from '../../support/chromium';
import { AT_RISK, BREAK, RATE, SIZE, arrivesWhole, continued, now, survived } from '../../support/matrix';
import { expect, test } from '../../support/test';
import { Uploads } from '../../support/uploads';

const DAY = 86_400;

for (const [what, offset] of [['a day behind', -DAY], ['a day ahead', DAY]] as const) {
  test(`the clock of the computer is ${what}`, async ({ host, server, wire, files }) => {
    const clock = join(files.folder, 'clock.so');
    execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', clock, join(__dirname, '../../support/clock.c'), '-ldl']);
    const chromium = await Chromium.install(host, { LD_PRELOAD: clock, CLOCK_OFFSET: String(offset) });
    try {
      const source = await files.random('film.mkv', SIZE);
      const line = await wire(RATE);
      const page = await chromium.start();
      const uploads = new Uploads(page);
      await page.goto(line.url);
      const wrong = (await page.evaluate(() => Date.now())) - Date.now();
      expect(Math.abs(wrong / 1000 - offset), 'the clock is wrong').toBeLessThan(60);
      await uploads.pick(source);
      await uploads.reaches('film.mkv', BREAK);
      line.cut();
      const [clear, before] = [now(), line.bytes];
      line.rate = Infinity;
      await page.reload();
      await arrivesWhole(uploads, server, 'film.mkv', source);
      expect(line.bytes - before, 'only what was not durable is sent again').toBe(SIZE - continued(server)[0]);
      const row = `the clock of the computer is ${what}: the socket is cut, and the page reloaded`;
      const { resumed, twice } = survived(row, clear, [line]);
      expect(resumed).toBeLessThan(3000);
      expect(twice).toBeLessThanOrEqual(AT_RISK);
    } finally {
      await chromium.dispose();
    }
  });
}
