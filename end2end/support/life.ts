import type { Page } from '@playwright/test';
import { expect } from './test';

/** What the browser complains about. The answer to the page itself is not it. */
export function complaints(page: Page) {
  const all: string[] = [];
  page.on('pageerror', (error) => all.push(String(error)));
  page.on('console', (message) => {
    const ownStatus = /status of 404/.test(message.text()) && message.location().url === page.url();
    if (['error', 'warning'].includes(message.type()) && !ownStatus) all.push(message.text());
  });
  return all;
}

/** Waits until the page has come to life: until it has found its engine. */
export async function comeToLife(page: Page, host: 'shared' | 'worker' | 'page' = 'shared') {
  await expect(page.locator('[data-connection]')).toHaveAttribute('data-engine', host);
}

/** Keeps pages from coming to life, until what this gives is called. */
export async function holdLife(page: Page): Promise<() => void> {
  let wake = () => {};
  const asleep = new Promise<void>((resolve) => (wake = resolve));
  await page.route(/longhaul\.[^/]*\.wasm$/, async (route) => {
    await asleep;
    await route.continue();
  });
  return wake;
}

/**
 * Has the browser leave its dialogues for files to Playwright from now on. Who begins to wait
 * for one may be too late for that: a key that is pressed at once opens the browser's own.
 */
export function catchChoosers(page: Page) {
  page.on('filechooser', () => {});
}

/** The kinds of dialogues that the page opens; each is agreed to. */
export function dialogues(page: Page) {
  const kinds: string[] = [];
  page.on('dialog', async (dialog) => {
    kinds.push(dialog.type());
    await dialog.accept();
  });
  return kinds;
}
