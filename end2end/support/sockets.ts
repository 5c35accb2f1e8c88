import type { Page, Worker } from '@playwright/test';

/** What became of the sockets of a page's engine, as the browser's events say it. */
export type SocketEvents = {
  opened: number;
  /** The most that were connecting, open or closing at the same time. */
  most: number;
  closed: { code: number; clean: boolean }[];
};

/**
 * Watches the sockets of the engines that this page starts from now on. They live in
 * a worker, so it is there that the browser's own WebSocket is listened to.
 */
export function watchSockets(page: Page): () => Promise<SocketEvents> {
  const workers: Promise<Worker>[] = [];
  page.on('worker', (worker) => workers.push(worker.evaluate(listen).then(() => worker)));
  return async () => {
    const all: SocketEvents = { opened: 0, most: 0, closed: [] };
    for (const worker of await Promise.all(workers)) {
      const one = await worker.evaluate(() => (globalThis as any).socketEvents as SocketEvents);
      all.opened += one.opened;
      all.most = Math.max(all.most, one.most);
      all.closed.push(...one.closed);
    }
    return all;
  };
}

function listen() {
  const events = { opened: 0, most: 0, closed: [] as { code: number; clean: boolean }[] };
  const there = new Set<WebSocket>();
  const scope = globalThis as any;
  scope.socketEvents = events;
  scope.WebSocket = class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      there.add(this);
      events.opened += 1;
      events.most = Math.max(events.most, there.size);
      this.addEventListener('close', ({ code, wasClean, isTrusted }) => {
        // Scripts can dispatch such an event as well, and some do.
        if (!isTrusted) return;
        there.delete(this);
        events.closed.push({ code, clean: wasClean });
      });
    }
  };
}
