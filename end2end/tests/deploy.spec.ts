import { AT_RISK, RATE, SIZE, arrivesWhole } from '../support/matrix';
import { expect, test } from '../support/test';
import { Uploads } from '../support/uploads';
import { twice } from '../support/wire';

for (const host of ['shared', 'worker'] as const) {
  test.describe(`the engine is in a ${host === 'shared' ? 'shared worker' : 'worker of the tab'}`, () => {
    test.use({ host });

    test('after a deploy, a page of the new version goes on with what one of the old began', async ({ context, uploads, server, build, wire, files }) => {
      const source = await files.random('film.mkv', SIZE);
      const line = await wire(RATE);
      const older = [uploads, new Uploads(await context.newPage())];
      for (const { page } of older) await page.goto(line.url);
      await uploads.pick(source);
      for (const tab of older) await tab.reaches('film.mkv', 20);

      await server.stop();
      server.program = build.program;
      await server.start();
      await uploads.expectConnection('open');

      const newer = new Uploads(await context.newPage());
      await newer.page.goto(line.url);
      for (const tab of older) {
        await tab.expectConnection('outdated');
        await expect(tab.connection).toContainText('newer version');
      }
      const states = await Promise.all([...older, newer].map((tab) => tab.watchConnection()));
      await newer.expectState('film.mkv', 'sending');
      line.rate = Infinity;
      await arrivesWhole(newer, server, 'film.mkv', source);
      expect(twice(line.sent)).toBeLessThanOrEqual(2 * AT_RISK);
      expect(line.most, 'one connection at a time').toBe(1);

      // The older ones do not take it back.
      const seen = await Promise.all(states.map((states) => states()));
      expect(seen.pop()).not.toContain('outdated');
      expect(seen).toEqual([['outdated'], ['outdated']]);
      await uploads.page.reload();
      await uploads.expectConnection('idle');
      await uploads.arrives('film.mkv');
    });
  });
}
