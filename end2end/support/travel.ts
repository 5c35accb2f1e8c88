import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Page, expect } from '@playwright/test';

/** A page of somebody else. */
export class Elsewhere {
  private constructor(readonly url: string, readonly close: () => void) {}

  static async create(): Promise<Elsewhere> {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Elsewhere</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, resolve));
    // Another host is another site, not just another origin.
    const { port } = server.address() as AddressInfo;
    const close = () => {
      server.close();
      server.closeAllConnections();
    };
    return new Elsewhere(`http://localhost:${port}/`, close);
  }
}

/** Lets the page remember how it was shown last; has to be there before it is opened. */
export async function rememberShows(page: Page) {
  await page.addInitScript(() => {
    addEventListener('pageshow', ({ persisted }) => ((window as any).shown = persisted));
    addEventListener('pagehide', () => ((window as any).shown = undefined));
  });
}

/** Follows a link. */
export async function follow(page: Page, url: string) {
  await page.evaluate((url) => void setTimeout(() => (location.href = url)), url);
  await shown(page, url);
}

/** Goes back, or forward, to a page; whether it came out of the back/forward cache as it was. */
export async function travel(page: Page, way: 'back' | 'forward', url: string): Promise<boolean> {
  await page.evaluate((way) => void setTimeout(() => history[way]()), way);
  return shown(page, url);
}

/**
 * Waits until a page is shown, and says whether it came out of the cache. Playwright waits
 * for loads, of which there is none then.
 */
async function shown(page: Page, url: string): Promise<boolean> {
  const look = () => page.evaluate(() => ({ url: location.href, restored: (window as any).shown as boolean | undefined }));
  let restored: boolean | undefined;
  const there = async () => {
    // While a page goes and another comes, there is nobody to ask.
    const seen = await look().catch(() => undefined);
    restored = seen?.url === url ? seen.restored : undefined;
    return restored !== undefined;
  };
  await expect.poll(there, { intervals: [20] }).toBe(true);
  return restored!;
}
