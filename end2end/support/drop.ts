import type { Page } from '@playwright/test';

/** Drops files and folders of the disk on the page, as a person does it. */
export async function dropPaths(page: Page, paths: string[]) {
  const debug = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await debug.send('Input.dispatchDragEvent', { type, x: 200, y: 200, data });
  }
  await debug.detach();
}
