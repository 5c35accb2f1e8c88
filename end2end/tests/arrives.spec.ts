import { GiB, MiB, b3sum, expect, mib, state, test, type Receipt } from '../support/test';

test('a file of 1 GiB arrives, its progress rises in steps, and its digest is that of the source', async ({ page, server, uploads, files, request }) => {
  test.setTimeout(240_000);
  const source = await files.random('large.bin', GiB);
  await page.goto('/');
  const began = performance.now();
  await uploads.pick(source);

  const steps = [0];
  await expect
    .poll(
      async () => {
        const percent = await uploads.percent('large.bin');
        if (percent !== steps.at(-1)) steps.push(percent);
        return uploads.row('large.bin').getAttribute('data-state');
      },
      { intervals: [100], timeout: 200_000 },
    )
    .toBe('stored');
  const seconds = (performance.now() - began) / 1000;
  state('1 GiB took', `${seconds.toFixed(1)} s, ${(1024 / seconds).toFixed(0)} MiB/s`);
  await expect(uploads.totals).toContainText(/in (\d+ min )?\d+ s.+B\/s on average/);
  state('the page says', (await uploads.totals.locator('.totals-facts').innerText()).replaceAll('\n', ' '));
  state('peak memory of the server', mib(server.peakMemory()));

  await uploads.reaches('large.bin', 100);
  steps.push(100);
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  expect(new Set(steps).size).toBeGreaterThan(10);
  expect(server.peakMemory()).toBeLessThan(64 * MiB);

  const digest = await b3sum(source);
  expect(await b3sum(server.stored('large.bin'))).toBe(digest);
  const receipt = await request.get(`/f/${await uploads.id('large.bin')}/receipt`);
  expect(receipt.status()).toBe(200);
  const said: Receipt = await receipt.json();
  expect(said).toMatchObject({ name: 'large.bin', size: GiB, digest });
  expect(server.parts()).toEqual([]);
});

test.describe('the engine is in the page', () => {
  test.use({ host: 'page' });
  for (const simd of [true, false]) {
    test(`a file arrives from a browser ${simd ? 'with' : 'without'} SIMD`, async ({ page, server, uploads, files }) => {
      const source = await files.random('film.mkv', 5 * MiB + 1);
      // A browser that does not know an instruction refuses the whole module.
      await page.route('**/hasher.wasm', async (route) => {
        const response = await route.fetch();
        const body = await response.body();
        if (!simd) body[body.indexOf(0xfd)] = 0xff;
        await route.fulfill({ response, body });
      });
      const asked = page.waitForResponse('**/hasher.wasm');
      await page.goto('/');
      const module = [...(await (await asked).body())];
      const known = await page.evaluate((bytes) => WebAssembly.validate(new Uint8Array(bytes)), module);
      expect(known).toBe(simd);
      await uploads.pick(source);
      await uploads.arrives('film.mkv');
      expect(await b3sum(server.stored('film.mkv'))).toBe(await b3sum(source));
    });
  }
});
