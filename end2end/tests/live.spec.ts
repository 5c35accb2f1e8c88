import type { Page } from '@playwright/test';
import { MiB, b3sum, expect, state, test } from '../support/test';

/** The page of someone else who watches: another browser profile. */
test.describe('a second browser', () => {
  let watcher: Page;
  test.beforeEach(async ({ browser }) => {
    watcher = await (await browser.newContext()).newPage();
  });
  test.afterEach(() => watcher.context().close());

  test('follows an upload under its link, which becomes the file when it has arrived', async ({ page, wire, uploads, files }) => {
    const source = await files.random('film.mkv', 64 * MiB);
    const line = await wire(12 * MiB);
    await page.goto(line.url);
    await uploads.pick(source);
    await uploads.reaches('film.mkv', 5);
    const id = await uploads.id('film.mkv');

    await watcher.goto(`${line.url}/f/${id}`);
    await expect(watcher.getByRole('heading', { level: 1, name: 'film.mkv' })).toBeVisible();
    const bar = watcher.getByRole('progressbar', { name: 'film.mkv' });
    const percent = async () => Number(await bar.getAttribute('aria-valuenow'));
    const first = await percent();
    await expect.poll(percent).toBeGreaterThan(first);
    await expect(watcher.getByRole('article')).toContainText('Arriving');
    await expect(watcher).toHaveTitle(/\d+% of film\.mkv/);
    expect(await watcher.getByRole('article').getAttribute('data-state')).toBe('receiving');

    await uploads.button('film.mkv', 'Pause').click();
    await expect(watcher.getByRole('article')).toHaveAttribute('data-state', 'resting');
    line.rate = Infinity;
    await uploads.button('film.mkv', 'Resume').click();
    await expect(watcher.getByText('Complete, and proven identical to what was sent')).toBeVisible({ timeout: 60_000 });
    await expect(watcher.getByRole('article')).toHaveAttribute('data-state', 'stored');
    await expect(watcher.getByText(await b3sum(source), { exact: true })).toBeVisible();
    const [download] = await Promise.all([
      watcher.waitForEvent('download'),
      watcher.getByRole('link', { name: /^Download/ }).click(),
    ]);
    expect(await b3sum(await download.path())).toBe(await b3sum(source));
  });

  test('cancels an upload, and its sender is told', async ({ page, server, wire, uploads, files }) => {
    const line = await wire(4 * MiB);
    await page.goto(line.url);
    await uploads.pick(await files.random('film.mkv', 48 * MiB));
    await uploads.reaches('film.mkv', 5);
    await watcher.goto(`${line.url}/f/${await uploads.id('film.mkv')}`);
    await expect(watcher.getByRole('article')).toHaveAttribute('data-state', 'receiving');
    await watcher.locator('summary', { hasText: 'Cancel upload' }).click();
    await watcher.getByRole('button', { name: 'Cancel upload' }).click();
    await uploads.expectState('film.mkv', 'failed');
    await expect(uploads.row('film.mkv')).toContainText('ended elsewhere');
    await expect.poll(() => server.parts()).toEqual([]);
    await expect(watcher.getByRole('article').or(watcher.getByRole('heading', { name: 'There is no such file or upload' }))).toBeVisible();
    await expect(watcher.getByText('It appears under Files once')).toBeHidden();

    // Retry begins anew, as the words say.
    line.rate = Infinity;
    await uploads.button('film.mkv', 'Retry').click();
    await uploads.arrives('film.mkv');
    expect(server.files()).toEqual(['film.mkv']);
  });

  test('pauses an upload from its link and lets it go on, while its sender is there', async ({ page, wire, uploads, files }) => {
    const source = await files.random('film.mkv', 48 * MiB);
    const line = await wire(6 * MiB);
    await page.goto(line.url);
    await uploads.pick(source);
    await uploads.reaches('film.mkv', 5);
    await watcher.goto(`${line.url}/f/${await uploads.id('film.mkv')}`);
    const upload = watcher.getByRole('article');
    await expect(watcher.locator('[data-connection]')).toHaveAttribute('data-connection', 'open');
    await watcher.getByRole('button', { name: 'Pause film.mkv' }).press('Enter');
    await expect(upload).toHaveAttribute('data-state', 'paused');
    await uploads.expectState('film.mkv', 'paused');
    await expect(uploads.row('film.mkv')).toContainText('Paused from another device.');
    await expect(upload).toContainText('Its sender is still connected');
    const resume = watcher.getByRole('button', { name: 'Resume film.mkv' });
    await expect(resume, 'the same key goes on').toBeFocused();

    // It stays there, however long that takes, and over a new connection.
    line.cut();
    await expect(upload).toHaveAttribute('data-state', 'paused');
    await uploads.expectConnection('open');
    await expect(uploads.row('film.mkv')).toHaveAttribute('data-state', 'paused');
    await expect(resume).toBeVisible();
    await resume.click();
    await uploads.expectState('film.mkv', 'sending');
    await expect(upload).toHaveAttribute('data-state', 'receiving');
    await expect(uploads.row('film.mkv')).not.toContainText('another device');

    // Where nobody is there, nobody can be asked.
    const action = await watcher.locator('form').filter({ has: watcher.locator('[name=wish]') }).getAttribute('action');
    const id = await uploads.id('film.mkv');
    await page.context().close();
    await expect(upload).toHaveAttribute('data-state', 'resting', { timeout: 30_000 });
    await expect(upload).toContainText('Nobody is sending it');
    await expect(watcher.getByRole('button', { name: /^(Pause|Resume) film/ })).toHaveCount(0);
    const asked = await watcher.request.post(line.url + action, { form: { id, wish: 'Resume' } });
    expect(asked.status()).toBe(409);
    expect(await asked.json()).toBe('Nobody');
  });

  test('pauses and cancels on /live, by keyboard', async ({ page, server, wire, uploads, files }) => {
    const line = await wire(6 * MiB);
    await page.goto(line.url);
    await uploads.pick([await files.random('one.bin', 40 * MiB), await files.random('two.bin', 40 * MiB)]);
    await uploads.reaches('two.bin', 2);
    await watcher.goto(`${line.url}/live`);
    await expect(watcher.locator('[data-connection]')).toHaveAttribute('data-connection', 'open');
    await watcher.getByRole('button', { name: 'Pause two.bin' }).press('Enter');
    await uploads.expectState('two.bin', 'paused');
    await expect(watcher.getByRole('button', { name: 'Resume two.bin' })).toBeFocused();
    await watcher.keyboard.press('Enter');
    await uploads.expectState('two.bin', 'sending');
    await watcher.locator('summary').and(watcher.getByLabel('Cancel upload of one.bin')).press('Enter');
    await watcher.getByRole('button', { name: 'Cancel upload', exact: true }).press('Enter');
    await uploads.expectState('one.bin', 'failed');
    await expect.poll(() => server.parts().length).toBe(1);
  });

  test('sees what goes through the server, and who is there', async ({ page, wire, uploads, files }) => {
    const line = await wire(6 * MiB);
    await watcher.goto(`${line.url}/live`);
    const pulse = watcher.getByRole('region', { name: 'The last minutes' });
    await expect(pulse).toContainText('0 senders');
    await expect(pulse).toContainText('1 watching');
    await page.goto(line.url);
    await uploads.pick(await files.random('film.mkv', 30 * MiB));
    await expect(pulse).toContainText('1 sender');
    const curve = pulse.getByRole('img');
    await expect(curve).toHaveAccessibleName(/: .+ [kM]B\/s now, .+ MB\/s at most\.$/);
    const drawn = await curve.locator('.chart-area').getAttribute('d');
    await expect.poll(() => curve.locator('.chart-area').getAttribute('d')).not.toBe(drawn);
    line.rate = Infinity;
    await uploads.arrives('film.mkv');
    await page.close();
    await expect(pulse).toContainText('0 senders');
    // Whoever comes now sees it, too, and needs no scripts for that.
    const plain = await watcher.context().browser()!.newContext({ javaScriptEnabled: false });
    const late = await plain.newPage();
    await late.goto(`${line.url}/live`);
    await expect(late.getByRole('region', { name: 'The last minutes' }).getByRole('img'))
      .toHaveAccessibleName(/ MB\/s at most\.$/);
    await plain.close();
  });

  test('sorts what moves', async ({ page, wire, uploads, files }) => {
    const line = await wire(3 * MiB);
    await page.goto(line.url);
    await uploads.pick([await files.random('a.bin', 20 * MiB), await files.random('b.bin', 60 * MiB), await files.random('c.bin', 40 * MiB)]);
    await uploads.reaches('c.bin', 1);
    await watcher.goto(`${line.url}/live`);
    const names = () => watcher.getByRole('list', { name: 'Live uploads' }).getByRole('listitem')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-name')).join(' '));
    await expect.poll(names).toBe('a.bin b.bin c.bin');
    await watcher.getByLabel('Sort').selectOption('Largest first');
    await expect.poll(names).toBe('b.bin c.bin a.bin');
    await uploads.button('b.bin', 'Pause').click();
    await expect.poll(names, 'what moves is first').toBe('c.bin a.bin b.bin');
  });

  test('is told several times a second, and has little to do for it', async ({ page, wire, uploads, files }) => {
    const line = await wire(4 * MiB);
    await page.goto(line.url);
    await uploads.pick(await Promise.all([1, 2, 3, 4].map((n) => files.random(`${n}.bin`, 30 * MiB))));
    await uploads.reaches('4.bin', 1);
    await watcher.goto(`${line.url}/live`);
    const bar = watcher.getByRole('progressbar', { name: '1.bin' });
    await expect(watcher.locator('[data-connection]')).toHaveAttribute('data-connection', 'open');
    await bar.evaluate((bar) => {
      (window as any).changes = 0;
      new MutationObserver(() => (window as any).changes++)
        .observe(bar.querySelector('.bar-received')!, { attributes: true });
    });
    const browser = await watcher.context().newCDPSession(watcher);
    await browser.send('Performance.enable');
    const busy = async () => {
      const { metrics } = await browser.send('Performance.getMetrics');
      const metric = (name: string) => metrics.find((it) => it.name === name)!.value;
      return [metric('TaskDuration'), metric('Timestamp')];
    };
    const before = await busy();
    await expect.poll(() => watcher.evaluate(() => (window as any).changes)).toBeGreaterThan(20);
    const after = await busy();
    const seconds = after[1] - before[1];
    const share = (after[0] - before[0]) / seconds;
    const changes = await watcher.evaluate(() => (window as any).changes);
    state('updates a second on /live', (changes / seconds).toFixed(1));
    state('the main thread works', `${(share * 100).toFixed(1)} %`);
    expect(changes / seconds).toBeGreaterThan(2);
    expect(share).toBeLessThan(0.25);
  });

  test('sees on /live all that moves, from its beginning to its end', async ({ page, wire, uploads, files }) => {
    const line = await wire(8 * MiB);
    await watcher.goto(`${line.url}/live`);
    await expect(watcher.getByRole('heading', { name: 'Nothing is moving' })).toBeVisible();
    await page.goto(line.url);
    await uploads.pick([await files.random('one.bin', 24 * MiB), await files.random('two.bin', 24 * MiB)]);

    const rows = watcher.getByRole('list', { name: 'Live uploads' }).getByRole('listitem');
    await expect(rows).toHaveCount(2);
    await expect(rows.and(watcher.locator('[data-state=receiving]'))).toHaveCount(2);
    await expect(watcher.getByText('2 uploads moving')).toBeVisible();
    const bar = watcher.getByRole('progressbar', { name: 'one.bin' });
    await expect.poll(async () => Number(await bar.getAttribute('aria-valuenow'))).toBeGreaterThan(10);
    await uploads.button('two.bin', 'Pause').click();
    // Its sender is there all the same.
    await expect(rows.and(watcher.locator('[data-name="two.bin"]'))).toHaveAttribute('data-state', 'paused');
    line.rate = Infinity;
    await uploads.button('two.bin', 'Resume').click();
    await uploads.arrived(2);
    await expect(rows.and(watcher.locator('[data-state=stored]'))).toHaveCount(2);
    // What has arrived stays in sight for a moment.
    await expect(watcher.getByRole('heading', { name: 'Nothing is moving' })).toBeVisible({ timeout: 30_000 });
  });

  test('follows on, when the server was killed and started again', async ({ page, server, wire, uploads, files }) => {
    const line = await wire(8 * MiB);
    await page.goto(line.url);
    await uploads.pick(await files.random('film.mkv', 32 * MiB));
    await uploads.reaches('film.mkv', 10);
    await watcher.goto(`${line.url}/live`);
    const row = watcher.getByRole('list', { name: 'Live uploads' }).getByRole('listitem');
    await expect(row).toHaveAttribute('data-state', 'receiving');
    const connection = watcher.locator('[data-connection]');
    await expect(connection).toHaveAttribute('data-connection', 'open');
    await server.kill();
    await expect(connection).toHaveAttribute('data-connection', 'waiting');
    await server.start();
    await expect(connection).toHaveAttribute('data-connection', 'open', { timeout: 30_000 });
    await uploads.expectState('film.mkv', 'sending');
    await expect(row).toHaveAttribute('data-state', 'receiving');
    line.rate = Infinity;
    await uploads.arrives('film.mkv');
    await expect(row).toHaveAttribute('data-state', 'stored');
  });
});
