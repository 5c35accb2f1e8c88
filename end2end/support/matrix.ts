import { expect, test } from '@playwright/test';
import { MiB, b3sum } from './files';
import type { Server } from './server';
import type { Uploads } from './uploads';
import { type Wire, sum, twice } from './wire';

export const ANNOTATION = 'interruption';

/** What came of an interruption, as the matrix says it. */
export type Interruption = {
  what: string;
  /** What the person did for it to go on. */
  person: string;
  /** Milliseconds from the moment when nothing stood in the way any more to the first bytes of the file. */
  resumed: number;
  /** Bytes that were sent more than once. */
  twice: number;
  /** Of so many. */
  size: number;
};

/** How large the files of the matrix are, and how fast the wire is until the interruption. */
export const SIZE = 64 * MiB;
export const RATE = 16 * MiB;

/**
 * The most that may have to be sent twice: what the server lets a client have on the way,
 * and what arrived since its last commit, which is every 16 MiB or every 250 ms.
 */
export const AT_RISK = 8 * MiB + 16 * MiB;

/** A time that an interruption lasts. */
export const lasts = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The moment, on the clock of the wire. */
export const now = () => performance.now();

/**
 * States what came of an interruption: nothing stood in the way any more from the moment
 * `clear` on, and the person did `person`. Every byte of the file went over `lines`.
 */
export function survived(what: string, clear: number, lines: Wire[], person = 'nothing'): Interruption {
  const sent = lines.flatMap((line) => line.sent);
  const times = sent.map(({ at }) => at).filter((at) => at >= clear);
  expect(times.length, 'bytes flow again').toBeGreaterThan(0);
  const again = twice(sent);
  const size = sum(sent) - again;
  const interruption = { what, person, resumed: Math.min(...times) - clear, twice: again, size };
  test.info().annotations.push({ type: ANNOTATION, description: JSON.stringify(interruption) });
  return interruption;
}

/** How much of its uploads the server had, each time that it continued one. */
export function continued(server: Server): number[] {
  return server.logged('an upload continues').map(({ durable }) => durable as number);
}

/** Waits until a file has arrived, and checks that it alone did, unchanged. */
export async function arrivesWhole(uploads: Uploads, server: Server, name: string, source: string) {
  await uploads.arrives(name);
  expect(server.files()).toEqual([name]);
  expect(server.parts()).toEqual([]);
  expect(await b3sum(server.stored(name))).toBe(await b3sum(source));
}

/** Where the engine of a page may live: what is taken away leaves it to the next. */
export const HOSTS = {
  'a shared worker': () => {},
  'a worker of the tab': () => {
    delete (globalThis as any).SharedWorker;
  },
  'the page itself': () => {
    delete (globalThis as any).SharedWorker;
    delete (globalThis as any).Worker;
  },
};
export type Host = keyof typeof HOSTS;
