import type { Locator, Page } from '@playwright/test';
import { MiB, b3sum, expect, test } from '../support/test';
import type { Uploads } from '../support/uploads';

/** Opens the record of an upload. */
async function record(uploads: Uploads, name: string): Promise<Locator> {
  await uploads.row(name).getByRole('button', { name: `Details of ${name}` }).click();
  const flight = uploads.row(name).getByRole('region', { name: `How ${name} goes` });
  await expect(flight).toBeVisible();
  return flight;
}

/** A number of the record. */
const figure = (flight: Locator, name: string) =>
  flight.locator('dl > div').filter({ has: flight.page().getByText(name, { exact: true }) }).locator('dd');

test('a row opens to how its upload goes, with what happened on the way', async ({ page, wire, uploads, files }) => {
  const line = await wire(6 * MiB);
  await page.goto(line.url);
  await uploads.pick(await files.random('film.mkv', 48 * MiB));
  await uploads.reaches('film.mkv', 5);
  const toggle = uploads.row('film.mkv').getByRole('button', { name: 'Details of film.mkv' });
  await expect(toggle).toHaveAttribute('aria-expanded', 'false');
  const flight = await record(uploads, 'film.mkv');
  await expect(toggle).toHaveAttribute('aria-expanded', 'true');

  const speed = flight.getByRole('img').first();
  await expect(speed).toHaveAccessibleName(/^In .+: .+ MB\/s on average, .+ MB\/s at most, 0 stalls, 0 reconnects\.$/);
  const curve = speed.locator('.chart-line');
  const drawn = await curve.getAttribute('d');
  await expect.poll(() => curve.getAttribute('d'), 'it is drawn on').not.toBe(drawn);
  await expect(figure(flight, 'Average')).toHaveText(/MB\/s$/);
  await expect(figure(flight, 'Round trip')).toHaveText(/\d ms$|\d s$/);
  await expect(figure(flight, 'Sent twice')).toHaveText('0 B');

  line.down();
  await uploads.expectConnection('waiting');
  line.up();
  await uploads.expectState('film.mkv', 'sending');
  await expect(figure(flight, 'Reconnects')).toHaveText(/^1, /);
  await expect(figure(flight, 'Sent twice')).not.toHaveText('0 B');
  await flight.getByText('As a table').click();
  const happened = flight.getByRole('table', { name: 'What happened' });
  await expect(happened).toContainText('Began');
  await expect(happened).toContainText(/The connection ended \(1006, broken\); back after/);
  await expect(happened).toContainText(/Goes on: .+ were safe, .+ are sent twice/);
  await expect(flight.getByRole('table', { name: 'Over time' }).getByRole('row').nth(1)).toContainText('MB/s');

  line.rate = Infinity;
  await uploads.arrives('film.mkv');
  await expect(happened).toContainText('Stored and verified');
  await toggle.click();
  await expect(flight).toHaveCount(0);
});

test('what is stored has its link at hand, and its digest in its details', async ({ page, context, uploads, server }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('/');
  await uploads.pick({ name: 'words.txt', mimeType: 'text/plain', buffer: Buffer.from('words') });
  await uploads.arrives('words.txt');
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await uploads.button('words.txt', 'Copy the link of').click();
  await expect.poll(copied).toBe(new URL(`/f/${await uploads.id('words.txt')}`, page.url()).href);
  const flight = await record(uploads, 'words.txt');
  await flight.getByRole('button', { name: 'Copy the digest of words.txt' }).click();
  await expect.poll(copied).toBe(await b3sum(server.stored('words.txt')));
});

test('the text for a bug report names no file', async ({ page, context, uploads, server }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('/');
  await uploads.pick({ name: 'a secret plan.txt', mimeType: 'text/plain', buffer: Buffer.from('words') });
  await uploads.arrives('a secret plan.txt');
  const flight = await record(uploads, 'a secret plan.txt');
  await flight.getByText('Text for a bug report').click();
  await flight.getByRole('button', { name: 'Copy', exact: true }).click();
  await expect(flight.getByRole('button', { name: 'Copied' })).toBeVisible();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toContain('flight record');
  expect(text).toContain('file         5 bytes');
  expect(text).toMatch(/^ *\d+ {2}stored$/m);
  expect(text).toContain(await page.evaluate(() => navigator.userAgent));
  for (const secret of ['plan', String(server.port), await uploads.id('a secret plan.txt')]) {
    expect(text).not.toContain(secret);
  }
});

test.describe('over the port', () => {
  test.use({ host: 'worker' });

  test('a record is told only while it is shown', async ({ page, wire, uploads, files }) => {
    await page.addInitScript(countFlights);
    const line = await wire(4 * MiB);
    await page.goto(line.url);
    await uploads.pick(await files.random('film.mkv', 60 * MiB));
    await uploads.reaches('film.mkv', 3);
    expect(await flights(page), 'nobody looks').toBe(0);
    const opened = Date.now();
    await record(uploads, 'film.mkv');
    await expect.poll(() => flights(page)).toBeGreaterThan(3);
    const told = await flights(page);
    // The first one comes at once.
    expect((told - 1) / (Date.now() - opened) * 1000, 'a few times a second').toBeLessThan(3);
    await uploads.row('film.mkv').getByRole('button', { name: 'Details of film.mkv' }).click();
    const before = await uploads.percent('film.mkv');
    // What was on its way.
    await uploads.reaches('film.mkv', before + 2);
    const last = await flights(page);
    await uploads.reaches('film.mkv', before + 10);
    expect(await flights(page), 'nobody looks any more').toBe(last);
  });
});

/** Counts the records that the page is told: a report to a visit, of that kind. */
function countFlights() {
  const [REPORT, FLIGHT] = [2, 8];
  (window as any).flights = 0;
  const own = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage')!;
  Object.defineProperty(MessagePort.prototype, 'onmessage', {
    ...own,
    set(listener) {
      own.set!.call(this, listener && ((event: MessageEvent) => {
        const bytes = event.data?.[0];
        if (bytes?.[0] === REPORT && bytes[2] === FLIGHT) (window as any).flights++;
        listener.call(this, event);
      }));
    },
  });
}

const flights = (page: Page) => page.evaluate(() => (window as any).flights as number);
