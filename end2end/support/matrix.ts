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

/**
 * How large the files of the matrix are, how fast the wire is until the interruption, and
 * at what per cent that comes: it finds the upload on its way on a busy machine, too.
 */
export const SIZE = 48 * MiB;
export const RATE = 4 * MiB;
export const BREAK = 20;

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
 * `clear` on, and the person did `person`. Every byte of the file went over `lines`. They
 * flow again with the first that goes over the connection which finishes the file.
 */
export function survived(what: string, clear: number, lines: Wire[], person = 'nothing'): Interruption {
  const last = lines.at(-1)!.sent;
  const first = last.find(({ at, connection }) => at >= clear && connection === last.at(-1)!.connection);
  expect(first, 'bytes flow again').toBeDefined();
  const sent = lines.flatMap((line) => line.sent);
  const again = twice(sent);
  const size = sum(sent) - again;
  const interruption = { what, person, resumed: first!.at - clear, twice: again, size };
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
