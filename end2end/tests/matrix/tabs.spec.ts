import type { BrowserContext } from '@playwright/test';
import { AT_RISK, RATE, SIZE, arrivesWhole, now, survived } from '../../support/matrix';
import { MiB, expect, test } from '../../support/test';
import { Uploads } from '../../support/uploads';

/** Three tabs with the page. */
async function three(context: BrowserContext, url: string): Promise<[Uploads, Uploads, Uploads]> {
  const tab = async () => {
    const page = await context.newPage();
    await page.goto(url);
    return new Uploads(page);
  };
  return [await tab(), await tab(), await tab()];
}

/** Waits until every tab shows the same rows: these names in these states, in this order. */
async function expectSame(tabs: Uploads[], rows: string[]) {
  for (const tab of tabs) {
    const shown = () => tab.rows().evaluateAll((all) => all.map(({ dataset }) => `${dataset.name} ${dataset.state}`));
    await expect.poll(shown).toEqual(rows);
  }
}

for (const [host, what] of [
  ['shared', 'three tabs with one shared worker'],
  ['worker', 'three tabs without a shared worker'],
] as const) {
  test.describe(what, () => {
    test.use({ host });

    test('show the same rows over one connection, and each can act on all', async ({ context, server, wire, files }) => {
      const source = await files.random('film.mkv', SIZE);
      const small = await files.random('small.bin', MiB);
      const line = await wire(RATE / 2);
      const tabs = await three(context, line.url);
      const [first, second, third] = tabs;
      await first.pick(source);
      await expectSame(tabs, ['film.mkv sending']);
      await second.reaches('film.mkv', 10);
      expect(line.opened).toBe(1);

      await third.button('film.mkv', 'Pause').click();
      await expectSame(tabs, ['film.mkv paused']);
      await second.pick(small);
      await expectSame(tabs, ['film.mkv paused', 'small.bin stored']);
      line.rate = Infinity;
      await second.button('film.mkv', 'Resume').click();
      await expectSame(tabs, ['film.mkv stored', 'small.bin stored']);
      expect(server.files()).toEqual(['film.mkv', 'small.bin']);
      expect(line.most).toBe(1);
    });

    test('the one that began is closed', async ({ context, server, wire, files }) => {
      const source = await files.random('film.mkv', SIZE);
      const line = await wire(RATE / 2);
      const [first, second, third] = await three(context, line.url);
      await first.pick(source);
      await expectSame([first, second, third], ['film.mkv sending']);
      await second.reaches('film.mkv', 10);
      const clear = now();
      await first.page.close();
      await third.reaches('film.mkv', 20);
      await expectSame([second, third], ['film.mkv sending']);
      line.rate = Infinity;
      await arrivesWhole(second, server, 'film.mkv', source);
      await expectSame([second, third], ['film.mkv stored']);
      const { twice } = survived(`${what}, and the one that began is closed`, clear, [line]);
      expect(twice).toBeLessThanOrEqual(host === 'shared' ? 0 : AT_RISK);
      expect(line.most).toBe(1);
    });
  });
}
