import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';

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

/** Follows a link. */
export async function follow(page: Page, url: string) {
  await Promise.all([
    page.waitForURL(url, { waitUntil: 'commit' }),
    page.evaluate((url) => void setTimeout(() => (location.href = url)), url),
  ]);
}

/**
 * Goes back, or forward, to a page; whether it came out of the back/forward cache as it was.
 * (Playwright's own `goBack` waits for a load, which does not come then.)
 */
export async function travel(page: Page, way: 'back' | 'forward', url: string): Promise<boolean> {
  await Promise.all([
    page.waitForURL(url, { waitUntil: 'commit' }),
    page.evaluate((way) => void setTimeout(() => history[way]()), way),
  ]);
  return page.evaluate(() => (window as any).persisted === true);
}

/** Lets the page remember how it was shown last. */
export async function rememberShows(page: Page) {
  await page.addInitScript(() => {
    addEventListener('pageshow', ({ persisted }) => ((window as any).persisted = persisted));
  });
}
