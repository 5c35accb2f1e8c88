import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { Library } from '../support/library';
import { PAPER, tone } from '../support/samples';
import { expect, test } from '../support/test';
import { Uploads } from '../support/uploads';

const folder = join(__dirname, '../screenshots');

const PROGRAM = `//! Adds up what comes in on standard input.

use std::io::BufRead;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut sum = 0_i64;
    for line in std::io::stdin().lock().lines() {
        sum += line?.trim().parse::<i64>()?;
    }
    println!("{sum}");
    Ok(())
}
`;

test.describe('pictures of the files @screenshots', () => {
  for (const [size, width, height] of [['wide', 1280, 800], ['narrow', 390, 844]] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      test(`${size}, ${colorScheme}`, async ({ browser, server, files }) => {
        test.setTimeout(180_000);
        const context = await browser.newContext({
          baseURL: server.url, viewport: { width, height }, colorScheme, reducedMotion: 'reduce',
          ...(size === 'narrow' ? { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } : {}),
        });
        const page = await context.newPage();
        const uploads = new Uploads(page);
        const library = new Library(page);
        const shoot = async (name: string, whole = false) => {
          if (whole) {
            const content = await page.evaluate(() => document.documentElement.scrollHeight);
            await page.setViewportSize({ width, height: Math.max(height, content) });
          }
          await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
          await page.setViewportSize({ width, height });
        };

        await page.goto('/');
        await files.text('Tuscany 2026/notes.md', '# By train\n\nFrom Milan at nine.\n');
        await files.text('Tuscany 2026/Siena/sum.rs', PROGRAM);
        await uploads.pickFolder(join(files.folder, 'Tuscany 2026'));
        const send = (name: string, mimeType: string, buffer: Buffer) => ({ name, mimeType, buffer });
        await uploads.pick([
          send('Harbour at dusk.png', 'image/png', await picture(page)),
          send('interview.wav', 'audio/wav', tone()),
          send('backup-2026-11.tar.gz', 'application/gzip', Buffer.alloc(1_234_567)),
          send('Contract.pdf', 'application/pdf', PAPER),
          send('会议记录 — 第三季度.txt', 'text/plain', Buffer.from('第一项：预算。\n第二项：人员。\n')),
          send(`A recording with a very long name that says everything about it ${'and more '.repeat(5)}in the end.mp4`, 'video/mp4', Buffer.alloc(30_000)),
        ]);
        await uploads.arrived(8);

        await page.goto('/files?sort=name');
        await library.alive();
        await shoot('library', true);
        // There is no room for it on a phone.
        if (size === 'wide') {
          await library.ask('Digest of', 'Contract.pdf');
          await shoot('library-digest');
          await page.keyboard.press('Escape');
        }
        for (const name of ['Contract.pdf', 'notes.md', 'interview.wav']) await library.choose(name).click();
        await shoot('library-chosen');
        await library.chosenBar.getByRole('button', { name: 'Delete' }).click();
        await expect(page.getByRole('status').getByRole('button', { name: 'Undo' })).toBeVisible();
        await expect(library.row('Contract.pdf')).toHaveCount(0);
        await library.choose('sum.rs').click();
        await shoot('library-undo');
        await page.getByText('Recently deleted (3)').click();
        await shoot('library-deleted', true);
        await page.getByRole('status').getByRole('button', { name: 'Undo' }).click();
        await expect(library.row('Contract.pdf')).toBeVisible();

        const viewer = page.getByRole('dialog');
        await library.look('Harbour at dusk.png').click();
        await expect.poll(() => viewer.locator('img').evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(1600);
        await shoot('viewer-image');
        for (const [name, shown] of [['interview.wav', 'audio'], ['sum.rs', 'text'], ['Contract.pdf', 'pdf']] as const) {
          await page.keyboard.press('Escape');
          await library.look(name).click();
          await expect(viewer.locator('[data-shown]')).toHaveAttribute('data-shown', shown);
          if (shown === 'text') await expect(viewer.locator('pre')).toBeVisible();
          if (shown === 'pdf') await page.waitForTimeout(1500);
          await shoot(`viewer-${shown}`);
        }
        await page.keyboard.press('Escape');

        for (const [picture, name] of [['image', 'Harbour at dusk.png'], ['text', 'sum.rs'], ['audio', 'interview.wav'], ['other', 'backup-2026-11.tar.gz']]) {
          await page.goto('/files');
          await page.goto(`/f/${await library.id(name)}`);
          if (picture === 'text') await expect(page.locator('pre')).toBeVisible();
          await page.waitForLoadState('networkidle');
          await shoot(`file-${picture}`, true);
        }
        await page.getByRole('button', { name: 'Delete backup' }).click();
        await expect(page.getByText('This file was deleted')).toBeVisible();
        await shoot('file-deleted');
        await page.goto('/files?kind=video&q=nothing');
        await shoot('library-no-match');
        await context.addCookies([{ name: 'language', value: 'zh-CN', url: server.url }]);
        await page.goto('/files');
        await library.alive();
        await page.getByRole('table', { name: '文件' }).locator('.check input').nth(2).click();
        await shoot('library-zh');
        await context.close();
      });
    }
  }
});

/** A picture with something on it, as large as a screen. */
async function picture(page: Page): Promise<Buffer> {
  const url = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1600, height: 1000 });
    const draw = canvas.getContext('2d')!;
    const sky = draw.createLinearGradient(0, 0, 0, 700);
    sky.addColorStop(0, '#23395d');
    sky.addColorStop(0.7, '#c86b5a');
    sky.addColorStop(1, '#f7b267');
    draw.fillStyle = sky;
    draw.fillRect(0, 0, 1600, 700);
    draw.fillStyle = '#1d2b45';
    draw.fillRect(0, 690, 1600, 310);
    draw.fillStyle = '#ffe9c2';
    draw.beginPath();
    draw.arc(1100, 560, 70, 0, 7);
    draw.fill();
    draw.fillStyle = '#141d30';
    for (let n = 0; n < 9; n++) draw.fillRect(60 + n * 95, 690 - (n % 4) * 60 - 80, 70, 400);
    return canvas.toDataURL('image/png');
  });
  return Buffer.from(url.split(',')[1], 'base64');
}
