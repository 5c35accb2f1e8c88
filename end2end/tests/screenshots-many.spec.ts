import { join } from 'node:path';
import { MiB, expect, test } from '../support/test';

const folder = join(__dirname, '../screenshots');

test.describe('pictures of many uploads @screenshots', () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.describe('hundreds of uploads', () => {
      test.use({ options: ['--auto-upload', 'false', '--max-concurrency', '6'], colorScheme });
      test(`many, ${colorScheme}`, async ({ page, uploads, wire, files }) => {
        const line = await wire(3 * MiB);
        for (let n = 0; n < 120; n++) await files.random(`Tuscany/day ${n % 7}/IMG_${1000 + n}.raw`, 300_000);
        const names = ['Contract.pdf', 'budget.xlsx', 'interview.wav', 'holiday.mp4', 'backup.tar.gz', 'index.html'];
        await page.goto(line.url);
        await uploads.pick(await Promise.all(names.map((name) => files.random(name, 8 * MiB))));
        await uploads.pickFolder(join(files.folder, 'Tuscany'));
        await expect(uploads.folder('Tuscany')).toContainText('120 files');
        for (const name of ['Contract.pdf', 'holiday.mp4']) await uploads.button(name, 'Start').click();
        const pictures = uploads.folder('Tuscany').getByRole('button', { name: /^Start IMG_/ });
        for (const n of [0, 1, 2]) await pictures.nth(n).click();
        // Three at least: the others are close behind.
        await expect(uploads.list).toHaveAttribute('data-stored', /^[3-5]$/, { timeout: 60_000 });
        await uploads.button('interview.wav', 'Start').focus();
        const both = async (name: string) => {
          for (const [size, width, height] of [['wide', 1280, 900], ['narrow', 390, 844]] as const) {
            await page.setViewportSize({ width, height });
            await expect(uploads.rows().first()).toBeVisible();
            await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
          }
        };
        await both('uploads-many');
        await page.setViewportSize({ width: 1280, height: 900 });
        await uploads.row('interview.wav').locator('summary').click();
        await both('uploads-menu');
        await page.keyboard.press('Escape');
        await page.keyboard.press('F2');
        await uploads.row('interview.wav').getByRole('textbox').fill('a/b');
        await page.keyboard.press('Enter');
        await both('uploads-rename');
        await page.keyboard.press('Escape');
        await page.setViewportSize({ width: 1280, height: 900 });
        await uploads.row('budget.xlsx').hover();
        await page.mouse.wheel(0, 900);
        await expect(uploads.row('Contract.pdf')).not.toBeInViewport();
        await both('uploads-scrolled');
        await uploads.folder('Tuscany').getByRole('button', { name: 'Tuscany', exact: true }).click();
        await page.getByRole('searchbox').fill('contract');
        await expect(uploads.rows()).toHaveCount(1);
        await both('uploads-found');
        await page.getByRole('searchbox').fill('nothing');
        await expect(uploads.rows()).toHaveCount(0);
        await page.setViewportSize({ width: 1280, height: 900 });
        await page.screenshot({ path: join(folder, `uploads-not-found-wide-${colorScheme}.png`) });
        await page.getByRole('searchbox').fill('');
        await uploads.button('backup.tar.gz', 'Start').click();
        await uploads.reaches('backup.tar.gz', 10);
        line.down();
        await expect(uploads.totals).toContainText('Nothing is lost');
        await both('uploads-interrupted');
        await page.evaluate(() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([''], 'a'));
          window.dispatchEvent(new DragEvent('dragover', { dataTransfer, cancelable: true }));
        });
        await both('uploads-dragging');
      });
    });
  }
});
