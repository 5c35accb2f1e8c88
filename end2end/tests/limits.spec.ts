import { MiB, expect, test } from '../support/test';

test.describe('a server with a longest file and one kind of file', () => {
  test.use({ options: ['--max-file-size', '1MB', '--accept', '.txt'] });

  test('says so before anything is picked', async ({ page }) => {
    await page.goto('/');
    await expect(page.getByRole('main')).toContainText('Accepted: .txt, up to 1.00 MB each');
  });

  test('refuses what breaks a rule, names the rule, and takes the rest', async ({ page, server, uploads, files }) => {
    await page.goto('/');
    await uploads.pick([
      await files.random('large.txt', 2 * MiB),
      await files.random('picture.png', 1000),
      await files.text('notes.TXT', 'a few words'),
    ]);
    await uploads.expectState('large.txt', 'failed');
    await expect(uploads.row('large.txt')).toContainText('too large: at most 1.00 MB each');
    await uploads.expectState('picture.png', 'failed');
    await expect(uploads.row('picture.png')).toContainText('Accepted: .txt');
    await uploads.arrives('notes.TXT');
    expect(server.files()).toEqual(['notes.TXT']);
    expect(server.parts()).toEqual([]);
    await expect(uploads.totals).toContainText('1 of 3 files stored, 2 not sent');

    // What cannot succeed is not offered again, and can be taken off the list.
    await expect(uploads.button('large.txt', 'Retry')).toBeHidden();
    await uploads.button('large.txt', 'Remove').click();
    await expect(uploads.row('large.txt')).toHaveCount(0);
  });
});

test.describe('a server that takes two files at once, five megabytes together, and no folders', () => {
  test.use({ options: ['--max-entries', '2', '--max-total-size', '5MB', '--directories', 'false'] });

  test('says so before anything is picked, and refuses what is too much', async ({ page, server, uploads, files }) => {
    await page.goto('/');
    await expect(page.getByRole('main')).toContainText('2 files at once, 5.00 MB together, no folders');
    await files.text('trip/notes.txt', 'by train');
    await uploads.pickFolder(`${files.folder}/trip`);
    await uploads.expectState('notes.txt', 'failed');
    await expect(uploads.row('notes.txt')).toContainText('Folders are not taken here');

    await uploads.pick([
      await files.random('a.bin', 2 * MiB),
      await files.random('b.bin', 2 * MiB),
      await files.random('c.bin', 1000),
    ]);
    await uploads.arrives('a.bin');
    await uploads.arrives('b.bin');
    await uploads.expectState('c.bin', 'failed');
    await expect(uploads.row('c.bin')).toContainText('at most 2 at once');

    await uploads.pick(await files.random('d.bin', 6 * MiB));
    await uploads.expectState('d.bin', 'failed');
    await expect(uploads.row('d.bin')).toContainText('at most 5.00 MB at once');
    // There is room again.
    await uploads.button('c.bin', 'Remove').click();
    await uploads.pick(`${files.folder}/c.bin`);
    await uploads.arrives('c.bin');
    expect(server.files()).toEqual(['a.bin', 'b.bin', 'c.bin']);
  });
});

test.describe('a server where a person starts each upload', () => {
  test.use({ options: ['--auto-upload', 'false'] });

  test('sends nothing before that', async ({ page, server, uploads, files }) => {
    await page.goto('/');
    await uploads.pick([await files.text('a.txt', 'a'), await files.text('b.txt', 'b'), await files.text('c.txt', 'c')]);
    await expect(uploads.row('a.txt')).toContainText('Ready to start');
    await expect(uploads.rows('queued')).toHaveCount(3);
    expect(server.logged('an upload begins')).toEqual([]);
    await uploads.button('b.txt', 'Start').click();
    await uploads.arrives('b.txt');
    expect(server.files()).toEqual(['b.txt']);
    await uploads.totals.getByRole('button', { name: 'Start all' }).click();
    await uploads.arrived(3);
  });
});
