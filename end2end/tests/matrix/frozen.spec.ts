import { lifecycle } from '../../support/chromium';
import { AT_RISK, BREAK, RATE, SIZE, arrivesWhole, lasts, now, survived } from '../../support/matrix';
import { expect, test } from '../../support/test';
import { Uploads } from '../../support/uploads';

const ASLEEP = 20_000;

test('the page is frozen, and there is a shared worker', async ({ chromium, server, wire, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const line = await wire(RATE);
  const page = await chromium.start();
  const uploads = new Uploads(page);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', BREAK);
  await lifecycle(page, 'frozen');
  const clear = now();
  await expect.poll(() => server.files(), { timeout: 60_000 }).toEqual(['film.mkv']);
  await lifecycle(page, 'active');
  await arrivesWhole(uploads, server, 'film.mkv', source);
  const { twice } = survived('the page is frozen: the shared worker sends on', clear, [line]);
  expect(twice).toBe(0);
  expect(line.opened).toBe(1);
});

test.describe('without a shared worker', () => {
  test.use({ host: 'worker' });

  test('the page and its own worker are frozen, and thawed', async ({ chromium, server, wire, files }) => {
    const source = await files.random('film.mkv', SIZE);
    const line = await wire(RATE);
    const page = await chromium.start();
    const uploads = new Uploads(page);
    await page.goto(line.url);
    await uploads.pick(source);
    await uploads.reaches('film.mkv', BREAK);
    await lifecycle(page, 'frozen');
    // What the browser had already taken still goes out.
    await lasts(5000);
    const before = line.bytes;
    // Longer than a server bears silence.
    await lasts(ASLEEP - 5000);
    expect(line.bytes, 'it sleeps').toBe(before);
    line.rate = Infinity;
    await lifecycle(page, 'active');
    const clear = now();
    await arrivesWhole(uploads, server, 'film.mkv', source);
    const { resumed, twice } = survived('the page and its own worker are frozen for 20 s', clear, [line]);
    expect(resumed).toBeLessThan(3000);
    expect(twice).toBeLessThanOrEqual(AT_RISK);
    expect(line.most).toBe(1);
  });
});
