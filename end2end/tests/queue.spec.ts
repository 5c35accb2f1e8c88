import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { dropPaths } from '../support/drop';
import { comeToLife } from '../support/life';
import { KiB, MiB, expect, test } from '../support/test';

/** Puts files into the page that are nothing but their names, so many times; before it is alive, nobody takes them. */
async function drop(page: Page, paths: string[], times = 1) {
  await comeToLife(page);
  const transfer = await page.evaluateHandle(([paths, times]) => {
    const transfer = new DataTransfer();
    for (const path of paths) transfer.items.add(new File([path.repeat(times)], path));
    return transfer;
  }, [paths, times] as const);
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

/** What the server began, in order. */
const begun = (server: { logged(message: string): { [field: string]: unknown }[] }) =>
  server.logged('an upload begins').map((line) => line.path);

test.describe('where nothing is sent before it is told to', () => {
  test.use({ options: ['--auto-upload', 'false', '--max-concurrency', '1'] });

  test('of thousands of files only those near what is seen are on the page', async ({ page, uploads }) => {
    await page.goto('/');
    await drop(page, Array.from({ length: 3000 }, (_, n) => `file ${String(n).padStart(4, '0')}`));
    const first = uploads.row('file 0000');
    await expect(first).toHaveAttribute('aria-setsize', '3000');
    await expect(first).toHaveAttribute('aria-posinset', '1');
    expect(await uploads.rows().count()).toBeLessThan(60);
    await page.keyboard.press('End');
    await expect(uploads.row('file 2999')).toBeInViewport();
    await expect(uploads.row('file 2999')).toHaveAttribute('aria-posinset', '3000');
    await expect(first).toHaveCount(0);
    expect(await uploads.rows().count()).toBeLessThan(60);
    await page.keyboard.press('Home');
    await expect(first).toBeInViewport();
  });

  test('what has the focus keeps it wherever one scrolls, and Tab goes on from there', async ({ page, uploads }) => {
    await page.goto('/');
    await drop(page, Array.from({ length: 500 }, (_, n) => `file ${n}`));
    await uploads.button('file 3', 'Cancel').focus();
    await page.mouse.wheel(0, 20_000);
    await expect(uploads.row('file 0')).toHaveCount(0);
    await expect(uploads.button('file 3', 'Cancel')).toBeFocused();
    await page.keyboard.press('Tab');
    await expect(uploads.row('file 4').locator(':focus')).toBeInViewport();
  });

  test('arrows go from row to row on the same button, as far as the list goes', async ({ page, uploads }) => {
    await page.goto('/');
    await drop(page, Array.from({ length: 300 }, (_, n) => `file ${n}`));
    await expect(uploads.rows().first()).toHaveAttribute('aria-setsize', '300');
    await uploads.button('file 0', 'Start').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect(uploads.button('file 2', 'Start')).toBeFocused();
    await page.keyboard.press('ArrowUp');
    await expect(uploads.button('file 1', 'Start')).toBeFocused();
    await page.keyboard.press('End');
    await expect(uploads.button('file 299', 'Start')).toBeFocused();
    await expect(uploads.button('file 299', 'Start')).toBeInViewport();
    await page.keyboard.press('Home');
    await expect(uploads.button('file 0', 'Start')).toBeFocused();
  });

  test('who removes several goes on with the next', async ({ page, uploads }) => {
    await page.goto('/');
    await drop(page, ['a', 'b', 'c']);
    await uploads.button('a', 'Cancel').focus();
    await page.keyboard.press('Enter');
    await expect(uploads.row('a')).toHaveCount(0);
    await expect(uploads.button('b', 'Cancel')).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(uploads.button('c', 'Cancel')).toBeFocused();
  });

  test('a search finds names and folders in any case and width, and says where there is nothing', async ({ page, uploads, files }) => {
    await files.text('Journey/Tuscany/ＨＯＴＥＬ.txt', 'x');
    await files.text('Journey/notes.md', 'x');
    await page.goto('/');
    await drop(page, ['Invoice 7.pdf', 'invoice 8.pdf', ...Array.from({ length: 8 }, (_, n) => `other ${n}`)]);
    await uploads.pickFolder(join(files.folder, 'Journey'));
    await expect(async () => {
      await page.keyboard.press('End');
      await expect(uploads.row('notes.md')).toBeVisible({ timeout: 1000 });
    }).toPass();
    const search = page.getByRole('searchbox', { name: 'Search by name or folder' });
    await search.fill('INVOICE');
    await expect(uploads.rows()).toHaveCount(2);
    await expect(uploads.row('invoice 8.pdf')).toHaveAttribute('aria-posinset', '2');
    await expect(uploads.row('invoice 8.pdf')).toHaveAttribute('aria-setsize', '2');
    await search.fill('hotel tuscany');
    await expect(uploads.rows()).toHaveCount(1);
    await expect(uploads.row('ＨＯＴＥＬ.txt')).toBeVisible();
    await search.fill('nobody');
    await expect(uploads.rows()).toHaveCount(0);
    await expect(page.getByRole('heading', { name: 'Nothing here matches' })).toBeVisible();
    await page.getByRole('button', { name: 'Show all uploads' }).click();
    await expect(search).toHaveValue('');
    await expect(uploads.row('other 0')).toBeVisible();
  });

  test('the kinds count their uploads and show only them', async ({ page, uploads }) => {
    await page.goto('/');
    await drop(page, Array.from({ length: 10 }, (_, n) => `file ${n}`));
    await uploads.button('file 4', 'Start').click();
    await uploads.arrives('file 4');
    const kind = (name: string) => page.getByRole('group', { name: 'Show' }).getByRole('button', { name });
    await expect(kind('All')).toHaveText('All 10');
    await expect(kind('All')).toHaveAttribute('aria-pressed', 'true');
    await expect(kind('Waiting')).toHaveText('Waiting 9');
    await expect(kind('Not sent')).toBeHidden();
    await kind('Stored').press('Enter');
    await expect(kind('Stored')).toHaveAttribute('aria-pressed', 'true');
    await expect(uploads.rows()).toHaveCount(1);
    await expect(uploads.row('file 4')).toHaveAttribute('aria-setsize', '1');
    // What is stored meanwhile comes in.
    await kind('Waiting').click();
    await expect(uploads.rows()).toHaveCount(9);
    await uploads.button('file 2', 'Start').click();
    await expect(uploads.row('file 2')).toHaveCount(0);
    await expect(kind('Stored')).toHaveText('Stored 2');
  });

  test('a folder shows how far its files are, and is opened and closed', async ({ page, uploads, files }) => {
    for (let n = 0; n < 200; n++) await files.text(`trip/photos/${n}.txt`, 'x');
    await files.text('ticket.txt', 'x');
    await page.goto('/');
    await dropPaths(page, [join(files.folder, 'trip'), join(files.folder, 'ticket.txt')]);
    const trip = uploads.folder('trip');
    await expect(trip).toContainText('200 files');
    await expect(trip).toHaveAttribute('aria-setsize', '2');
    await expect(trip.getByRole('progressbar', { name: 'trip' })).toBeVisible();
    const inside = trip.getByRole('list', { name: 'Files in trip' });
    await expect(inside.getByRole('listitem').first()).toHaveAttribute('aria-setsize', '200');
    await expect(uploads.row('ticket.txt')).toHaveCount(0);

    const toggle = trip.getByRole('button', { name: 'trip', exact: true });
    await expect(toggle).toHaveAttribute('aria-expanded', 'true');
    // Its head stays in sight while one of its files is.
    // At once: a wheel would go on turning while the folder closes.
    await page.evaluate(() => scrollTo({ top: 5000, behavior: 'instant' }));
    await expect(uploads.row('0.txt')).toHaveCount(0);
    await expect(toggle).toBeInViewport();
    await toggle.press('Enter');
    await expect(toggle).toHaveAttribute('aria-expanded', 'false');
    await expect(uploads.row('ticket.txt')).toBeInViewport();
    await expect(uploads.rows()).toHaveCount(1);
    await toggle.press('Enter');
    await expect(uploads.row('0.txt')).toBeVisible();
    await uploads.totals.getByRole('button', { name: 'Start all' }).click();
    await uploads.arrived(201);
    await expect(trip).toContainText('200 files stored');
    await expect(trip.getByRole('progressbar', { name: 'trip' })).toHaveAttribute('aria-valuenow', '100');
  });

  test('a name is changed before it is sent, and only to one that a file can have', async ({ page, server, uploads, files }) => {
    await files.text('trip/draft.txt', 'x');
    await page.goto('/');
    await uploads.pickFolder(join(files.folder, 'trip'));
    await uploads.button('draft.txt', 'Start').focus();
    await page.keyboard.press('F2');
    const field = uploads.row('draft.txt').getByRole('textbox', { name: 'New name of draft.txt' });
    await expect(field).toBeFocused();
    expect(await field.evaluate((field: HTMLInputElement) => field.value.slice(field.selectionStart!, field.selectionEnd!))).toBe('draft');
    for (const [bad, why] of [['../x', 'cannot have / or'], ['a?', 'cannot have ? in it'], [' . ', 'needs a name'], ['nul', 'Windows'], ['x'.repeat(300), 'too long']]) {
      await field.fill(bad);
      await page.keyboard.press('Enter');
      await expect(field).toHaveAccessibleDescription(new RegExp(why.replace('?', '\\?')));
      await expect(field).toHaveAttribute('aria-invalid', 'true');
    }
    await page.keyboard.press('Escape');
    await expect(field).toHaveCount(0);
    await expect(uploads.row('draft.txt')).toBeVisible();

    await uploads.choose('draft.txt', 'Rename');
    await field.fill('final 例.txt');
    await page.keyboard.press('Enter');
    await expect(uploads.row('final 例.txt')).toBeVisible();
    await expect(uploads.row('final 例.txt').locator('summary')).toBeFocused();
    await uploads.button('final 例.txt', 'Start').click();
    await uploads.arrives('final 例.txt');
    expect(server.files()).toEqual(['trip/final 例.txt']);
    await expect(uploads.row('final 例.txt').locator('summary'), 'too late').toHaveCount(0);
  });

  test('uploads go in the order in which a person puts them: by keys', async ({ page, server, uploads }) => {
    await page.goto('/');
    // So long that one goes after the other.
    await drop(page, ['a', 'b', 'c', 'd'], 100_000);
    await uploads.button('d', 'Start').focus();
    await page.keyboard.press('Alt+ArrowUp');
    await expect.poll(() => uploads.names()).toEqual(['a', 'b', 'd', 'c']);
    await expect(uploads.button('d', 'Start'), 'it keeps the focus').toBeFocused();
    await expect(page.getByRole('status').filter({ hasText: 'd is now 3 of 4' })).toHaveCount(1);
    await page.keyboard.press('Alt+ArrowUp');
    await expect.poll(() => uploads.names()).toEqual(['a', 'd', 'b', 'c']);
    await uploads.choose('c', 'To the top');
    await expect.poll(() => uploads.names()).toEqual(['c', 'a', 'd', 'b']);
    await uploads.choose('a', 'Move down');
    await expect.poll(() => uploads.names()).toEqual(['c', 'd', 'a', 'b']);
    await uploads.choose('c', 'To the end');
    await expect.poll(() => uploads.names()).toEqual(['d', 'a', 'b', 'c']);
    await uploads.totals.getByRole('button', { name: 'Start all' }).click();
    await uploads.arrived(4);
    expect(begun(server)).toEqual(['d', 'a', 'b', 'c']);
  });

  test('uploads go in the order in which a person puts them: with the pointer', async ({ page, uploads }) => {
    await page.goto('/');
    await drop(page, ['a', 'b', 'c', 'd']);
    await uploads.row('d').hover();
    const grip = (await uploads.row('d').locator('.grip').boundingBox())!;
    const to = (await uploads.row('a').boundingBox())!;
    await page.mouse.move(grip.x + 8, grip.y + grip.height / 2);
    await page.mouse.down();
    await page.mouse.move(to.x + 8, to.y + to.height * 0.8, { steps: 5 });
    await expect(page.locator('.upload-mark')).toBeVisible();
    await page.keyboard.press('Escape');
    await page.mouse.up();
    expect(await uploads.names(), 'Escape leaves it where it was').toEqual(['a', 'b', 'c', 'd']);
    await page.mouse.move(grip.x + 8, grip.y + grip.height / 2);
    await page.mouse.down();
    await page.mouse.move(to.x + 8, to.y + to.height * 0.8, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => uploads.names()).toEqual(['a', 'd', 'b', 'c']);
  });
});

test.describe('without a shared worker', () => {
  test.use({ host: 'worker' });

  test('what was called something else goes on under that name after a reload', async ({ page, server, wire, uploads, files }) => {
    const source = await files.random('film.mkv', 24 * MiB);
    const line = await wire(8 * MiB);
    await page.goto(line.url);
    // The line that goes down is the one over which the engine comes.
    await comeToLife(page, 'worker');
    line.down();
    await uploads.pick(source);
    await uploads.choose('film.mkv', 'Rename');
    await page.keyboard.type('holiday');
    await page.keyboard.press('Enter');
    await expect(uploads.row('holiday.mkv')).toBeVisible();
    line.up();
    await uploads.reaches('holiday.mkv', 30);
    await page.reload();
    await uploads.pickAgain('holiday.mkv', source);
    line.rate = Infinity;
    await uploads.arrives('holiday.mkv');
    expect(server.files()).toEqual(['holiday.mkv']);
  });
});

test.describe('a server with limits', () => {
  test.use({ options: ['--max-file-size', '1MB'] });

  test('what breaks a rule is refused before there is a connection', async ({ page, wire, uploads, files }) => {
    const line = await wire();
    await page.goto(line.url);
    await expect(page.locator('[data-engine]')).toHaveCount(1);
    line.down();
    await uploads.pick([await files.random('large.bin', 2 * MiB), await files.random('small.bin', 10 * KiB)]);
    await uploads.expectState('large.bin', 'failed');
    await expect(uploads.row('large.bin')).toContainText('too large: at most 1.00 MB each');
    await expect(uploads.row('small.bin')).toHaveAttribute('data-state', /queued|waiting/);
    line.up();
    await uploads.arrives('small.bin');
  });
});

test('pictures are made of what is seen, images and films, and of nothing else', async ({ page, uploads }) => {
  await page.goto('/');
  const [image, film] = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
    const draw = canvas.getContext('2d')!;
    const dots = draw.createImageData(640, 480);
    for (let n = 0; n < dots.data.length; n++) dots.data[n] = n % 4 === 3 ? 255 : Math.random() * 256;
    draw.putImageData(dots, 0, 0);
    const bytes = async (blob: Blob) => [...new Uint8Array(await blob.arrayBuffer())];
    const image = await new Promise<Blob>((resolve) => canvas.toBlob((blob) => resolve(blob!), 'image/png'));
    const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: 'video/webm' });
    const parts: Blob[] = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.start(100);
    // A recorder may take its time before the first picture; without one it is no film.
    const recorded = () => parts.reduce((sum, part) => sum + part.size, 0);
    for (let n = 0; n < 20 || recorded() < 1000; n++) {
      draw.fillStyle = `hsl(${n * 18} 80% 50%)`;
      draw.fillRect(0, 0, 640, 480);
      await new Promise(requestAnimationFrame);
    }
    await new Promise((resolve) => ((recorder.onstop = resolve), recorder.stop()));
    return [await bytes(image), await bytes(new Blob(parts))];
  });
  const file = (name: string, mimeType: string, bytes: number[]) => ({ name, mimeType, buffer: Buffer.from(bytes) });
  await uploads.pick([
    file('film.webm', 'video/webm', film),
    file('broken.mp4', 'video/mp4', [1, 2, 3]),
    ...Array.from({ length: 40 }, (_, n) => file(`noise ${n}.png`, 'image/png', image)),
  ]);
  await uploads.arrived(42);
  const width = (name: string) =>
    uploads.row(name).locator('img').evaluate((img: HTMLImageElement) => img.decode().then(() => img.naturalWidth));
  await expect.poll(() => width('film.webm')).toBe(132);
  await expect.poll(() => width('noise 0.png'), 'a small one').toBe(132);
  await expect(uploads.row('broken.mp4').locator('.thumbnail > .icon')).toBeVisible();
  await page.keyboard.press('End');
  await expect.poll(() => width('noise 39.png'), 'also of what is stored').toBe(132);
});

test.describe('on a phone', () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });

  test('the camera is offered', async ({ page, uploads }) => {
    await page.goto('/');
    await expect(page.locator('[data-engine]')).toHaveCount(1);
    const camera = page.getByLabel('Take a photo or film');
    await expect(page.getByText('Take a photo or film')).toBeVisible();
    await expect(camera).toHaveAttribute('accept', 'image/*,video/*');
    await expect(camera).toHaveAttribute('capture', 'environment');
    await camera.setInputFiles({ name: 'image.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('a picture') });
    await uploads.arrives('image.jpg');
  });
});

test('no camera is offered to a mouse', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByText('Choose files')).toBeVisible();
  await expect(page.getByText('Take a photo or film')).toBeHidden();
});
