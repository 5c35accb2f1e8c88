import { test as base } from '@playwright/test';
import { Build } from './build';
import { Chromium } from './chromium';
import { Files } from './files';
import { HOSTS, type Host } from './hosts';
import { Server } from './server';
import { Elsewhere } from './travel';
import { Uploads } from './uploads';
import { Wire } from './wire';

export { expect } from '@playwright/test';
export { GiB, KiB, MiB, b3sum } from './files';

type Fixtures = {
  /** Options of `longhaul serve`; set them with `test.use`. */
  options: string[];
  /** How many bytes the server's disk holds, if it shall have one of its own. */
  disk: number | undefined;
  /** Where the engine lives; set it with `test.use`. */
  host: Host;
  /** The server of this test. */
  server: Server;
  /** Another version of the program, for `server.program`. */
  build: Build;
  /** Lays a wire to the server, so many bytes per second fast. */
  wire: (rate?: number) => Promise<Wire>;
  /** The files of the person. */
  files: Files;
  /** The page of uploads. */
  uploads: Uploads;
  /** A browser that is not Playwright's. */
  chromium: Chromium;
  /** The address of a page of another site. */
  elsewhere: string;
};

/** Every test has a server, a browser profile and files of its own. */
export const test = base.extend<Fixtures>({
  options: [[], { option: true }],
  host: ['shared', { option: true }],
  context: async ({ context, host }, use) => {
    await context.addInitScript(HOSTS[host]);
    await use(context);
  },
  disk: [undefined, { option: true }],
  server: async ({ options, disk }, use, info) => {
    const server = await Server.start(options, disk);
    await use(server);
    if (info.status !== info.expectedStatus) {
      const log = server.log.map((line) => JSON.stringify(line)).join('\n');
      await info.attach('server.log', { body: log, contentType: 'text/plain' });
    }
    await server.dispose();
  },
  build: async ({}, use) => {
    const build = await Build.another();
    await use(build);
    await build.dispose();
  },
  wire: async ({ server }, use) => {
    const wires: Wire[] = [];
    await use(async (rate) => {
      const wire = await Wire.to(server.port, rate);
      wires.push(wire);
      return wire;
    });
    for (const wire of wires) await wire.dispose();
  },
  files: async ({}, use) => {
    const files = await Files.create();
    await use(files);
    await files.dispose();
  },
  // Relative addresses are the server's.
  baseURL: async ({ server }, use) => use(server.url),
  uploads: async ({ page }, use) => use(new Uploads(page)),
  chromium: async ({ host }, use) => {
    const chromium = await Chromium.install(host);
    await use(chromium);
    await chromium.dispose();
  },
  elsewhere: async ({}, use) => {
    const elsewhere = await Elsewhere.create();
    await use(elsewhere.url);
    elsewhere.close();
  },
});

/** What the server says of a file that arrived. */
export type Receipt = { name: string; path: string; size: number; digest: string };

/** Says a figure that the reader of the report wants to see. */
export function state(what: string, figure: string | number) {
  test.info().annotations.push({ type: what, description: String(figure) });
  console.log(`      ${what}: ${figure}`);
}

/** Bytes as people read them. */
export function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(2)} MiB`;
}
