import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KiB, b3sum, expect, test } from '../support/test';
import { dropPaths } from '../support/drop';
import { holdLife } from '../support/life';

test('ten files and a folder arrive together, and the folder keeps its paths', async ({ page, server, uploads, files }) => {
  const loose = await Promise.all(
    Array.from({ length: 10 }, (_, n) => files.random(`loose-${n}.bin`, (n + 1) * 300 * KiB)),
  );
  const inside = ['report.pdf', 'photos/one.jpg', 'photos/2026/summer/two.jpg'];
  for (const path of inside) await files.random(`trip/${path}`, 200 * KiB);
  await page.goto('/');
  await uploads.pick(loose);
  await uploads.pickFolder(join(files.folder, 'trip'));
  await uploads.arrived(13);

  const paths = [...loose.map((_, n) => `loose-${n}.bin`), ...inside.map((path) => `trip/${path}`)];
  expect(server.files()).toEqual(paths.sort());
  for (const path of paths) {
    expect(await b3sum(server.stored(path)), path).toBe(await b3sum(join(files.folder, path)));
  }
  // What is out of sight is not on the page.
  await expect(async () => {
    await page.keyboard.press('End');
    await expect(uploads.row('two.jpg')).toContainText('trip/photos/2026/summer/', { timeout: 1000 });
  }).toPass();
});

test('a folder that is dropped keeps its paths', async ({ page, server, uploads, files }) => {
  await files.text('trip/notes.txt', 'by train');
  await files.text('trip/photos/one.txt', 'a lake');
  await files.text('ticket.txt', '12:40');
  await page.goto('/files');
  await dropPaths(page, [join(files.folder, 'trip'), join(files.folder, 'ticket.txt')]);
  await expect(page, 'uploads are shown where uploads are').toHaveURL('/');
  await uploads.arrived(3);
  expect(server.files()).toEqual(['ticket.txt', 'trip/notes.txt', 'trip/photos/one.txt']);
});

test('what is dropped before the page is alive is not lost', async ({ page, server, uploads, files }) => {
  await files.text('trip/notes.txt', 'by train');
  await files.text('ticket.txt', '12:40');
  const wake = await holdLife(page);
  await page.goto('/files');
  await dropPaths(page, [join(files.folder, 'trip'), join(files.folder, 'ticket.txt')]);
  await expect(page.locator('[data-engine]')).toHaveCount(0);
  wake();
  await expect(page, 'uploads are shown where uploads are').toHaveURL('/');
  await uploads.arrived(2);
  expect(server.files()).toEqual(['ticket.txt', 'trip/notes.txt']);
});

test('an empty file arrives', async ({ page, server, uploads, files }) => {
  await page.goto('/');
  await uploads.pick(await files.text('empty.txt', ''));
  await uploads.arrives('empty.txt');
  await expect(uploads.bar('empty.txt')).toHaveAttribute('aria-valuenow', '100');
  expect(readFileSync(server.stored('empty.txt'))).toHaveLength(0);
});

test('a name that leads out of the data folder is stored inside it', async ({ page, server, uploads }) => {
  await page.goto('/');
  const names = ['../../etc/пример 例.txt', '/etc/passwd', '..\\..\\boot.ini', '....//x', '\u202egpj.exe'];
  const drop = await page.evaluateHandle((names) => {
    const transfer = new DataTransfer();
    for (const name of names) transfer.items.add(new File([`I am ${name}`], name));
    return transfer;
  }, names);
  await page.dispatchEvent('body', 'drop', { dataTransfer: drop });
  await uploads.arrived(names.length);
  await expect(uploads.row('пример 例.txt')).toHaveAttribute('data-state', 'stored');

  expect(server.files()).toEqual(['boot.ini', 'etc/passwd', 'etc/пример 例.txt', 'gpj.exe', 'x']);
  expect(readFileSync(server.stored('etc/пример 例.txt'), 'utf8')).toBe('I am ../../etc/пример 例.txt');
});

test('the same name twice gives a second name, and both contents stay', async ({ page, server, uploads }) => {
  await page.goto('/');
  const file = (text: string) => ({ name: 'notes.tar.gz', mimeType: '', buffer: Buffer.from(text) });
  await uploads.pick(file('first'));
  await uploads.arrived(1);
  await uploads.pick(file('second'));
  await uploads.arrived(2);
  await uploads.pick([file('third'), file('fourth')]);
  await uploads.arrived(4);
  expect(server.files()).toEqual(['notes (2).tar.gz', 'notes (3).tar.gz', 'notes (4).tar.gz', 'notes.tar.gz']);
  const read = (path: string) => readFileSync(server.stored(path), 'utf8');
  expect(read('notes.tar.gz')).toBe('first');
  expect(read('notes (2).tar.gz')).toBe('second');
  expect([read('notes (3).tar.gz'), read('notes (4).tar.gz')].sort()).toEqual(['fourth', 'third']);
});

test('three hundred small files arrive, all of them', async ({ page, server, uploads, files }) => {
  const names = Array.from({ length: 300 }, (_, n) => `small-${String(n).padStart(3, '0')}.txt`);
  for (const name of names) await files.text(`many/${name}`, `I am ${name}`);
  await page.goto('/');
  await uploads.pickFolder(join(files.folder, 'many'));
  await uploads.arrived(300);
  await expect(uploads.totals).toContainText('300 files stored and verified');
  // What is out of sight is not on the page, and comes when one gets there.
  await expect(uploads.rows().first()).toHaveAttribute('aria-setsize', '300');
  expect(await uploads.rows().count()).toBeLessThan(100);
  const last = uploads.list.locator('[aria-posinset="300"]');
  await expect(last).toHaveCount(0);
  // Lines that nobody has seen are thought to be lower than they are, so the end moves on.
  await expect(async () => {
    await page.keyboard.press('End');
    await expect(last).toBeVisible({ timeout: 1000 });
  }).toPass();
  await expect(uploads.row(names[0])).toHaveCount(0);
  expect(server.files()).toEqual(names.map((name) => `many/${name}`));
  for (const name of names) {
    expect(readFileSync(server.stored(`many/${name}`), 'utf8')).toBe(`I am ${name}`);
  }
});

test('what is picked before the page has come to life is sent, too', async ({ page, server, uploads, files }) => {
  const wake = await holdLife(page);
  await page.goto('/', { waitUntil: 'commit' });
  await uploads.pick(await files.text('early.txt', 'a bird'));
  wake();
  await uploads.arrives('early.txt');
  expect(server.files()).toEqual(['early.txt']);
});
