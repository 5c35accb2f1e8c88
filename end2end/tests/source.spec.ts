import { appendFile, rm, truncate } from 'node:fs/promises';
import { catchChoosers, comeToLife } from '../support/life';
import { MiB, expect, test } from '../support/test';

for (const [what, change] of [
  ['changes', (path: string) => appendFile(path, 'and more')],
  ['becomes shorter', (path: string) => truncate(path, MiB)],
  ['vanishes', (path: string) => rm(path)],
] as const) {
  test(`a file that ${what} while it is sent is asked for again, and nothing half is stored`, async ({ page, server, wire, uploads, files }) => {
    const source = await files.random('film.mkv', 64 * MiB);
    const line = await wire(16 * MiB);
    await page.goto(line.url);
    await uploads.pick([source, await files.random('other.bin', MiB)]);
    await uploads.reaches('film.mkv', 5);
    await change(source);
    line.rate = Infinity;
    await uploads.expectState('film.mkv', 'needs-file');
    await expect(uploads.row('film.mkv')).toContainText(/changed|cannot be read/);
    await expect(uploads.row('film.mkv')).toContainText('Pick it again');
    await uploads.arrives('other.bin');
    expect(server.files()).toEqual(['other.bin']);
  });
}

test('where the browser refuses its picker for handles, its plain one opens', async ({ page, server, uploads, files }) => {
  const source = await files.random('film.mkv', MiB);
  await page.addInitScript(() => {
    (window as any).showOpenFilePicker = async () => {
      throw new DOMException('not here', 'SecurityError');
    };
  });
  catchChoosers(page);
  await page.goto('/');
  await comeToLife(page);
  for (const names of [['film.mkv'], ['film (2).mkv', 'film.mkv']]) {
    const opened = page.waitForEvent('filechooser');
    await page.getByText('Choose files').click();
    await (await opened).setFiles(source);
    await uploads.arrived(names.length);
    expect(server.files()).toEqual(names);
  }
});
