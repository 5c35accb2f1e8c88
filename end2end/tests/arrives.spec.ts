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
