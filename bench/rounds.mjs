// Runs the contenders of a level in rounds, A B C A B C, so that a machine whose speed
// drifts is as unfair to one as to the other. The first round only warms up: fresh page
// cache costs a virtual machine far more than cache that was used before.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { PLACE } from './paths.mjs';
import { Server } from './servers.mjs';
import { cpu, foreign, peakMemory } from './usage.mjs';

/** A machine is quiet while others take no more than this part of it. */
const QUIET = 0.12;
const SAMPLE = 250;
const GiB = 2 ** 30;
const KEPT = 16 * 2 ** 20;

/**
 * Measures a level: for each contender its runs, and the medians of `seconds`, `cpu`
 * (the server's seconds per GiB), `memory` (the server's peak in MiB) and `ratio`: how
 * many times as fast as the level's first contender in the same round.
 *
 * @param {Level} level
 * @param {{ rounds: number, patience: number }} how many rounds count, and how many seconds
 *   each run waits for a quiet machine: then it is measured all the same, and said
 * @typedef {{ name: string, title: string, make: () => string[], bytes: number, contenders: Contender[], missing: string[],
 *   most?: number, place?: { listen: string, reach: string } }} Level
 * @typedef {{ name: string, server: string, client: (server: Server, files: string[]) => Promise<Client> }} Contender
 * @typedef {{ send: () => Promise<number>, close: () => Promise<void> }} Client
 */
export async function measure(level, { rounds: usual, patience }) {
  const { name, title, make, bytes, contenders, missing, most = usual } = level;
  const rounds = Math.min(usual, most);
  console.log(`== ${title}`);
  for (const who of missing) console.log(`  ${who}: missing`);
  const files = make();
  const ready = [];
  const absent = [...missing];
  for (const contender of contenders) {
    try {
      say(0, contender.name, await once(contender, files, level, patience));
      ready.push(contender);
    } catch (error) {
      // A rival that does not work here is said and left out; without these two there is no ratio.
      if (['nginx', 'longhaul'].includes(contender.server)) throw error;
      console.log(`  ${contender.name}: left out, ${error.message}`);
      absent.push(contender.name);
    }
  }
  const results = ready.map(({ name, server }) => ({ name, server, runs: [] }));
  for (let round = 1; round <= rounds; round++) {
    for (const [n, contender] of ready.entries()) {
      const run = await once(contender, files, level, patience);
      results[n].runs.push(run);
      say(round, contender.name, run);
    }
  }
  for (const result of results) {
    result.runs.forEach((run, round) => (run.ratio = results[0].runs[round].seconds / run.seconds));
    summarize(result, results[0].runs);
  }
  files.forEach((file) => rmSync(file));
  return { name, title, bytes, files: files.length, missing: absent, contenders: results };
}

/** Medians of the rounds in which it was quiet for this one and for the first; of all, if it never was. */
function summarize(result, first) {
  const quiet = result.runs.filter((run, round) => run.quiet && first[round].quiet);
  const counted = quiet.length > 0 ? quiet : result.runs;
  for (const figure of ['seconds', 'ratio', 'cpu', 'memory']) {
    result[figure] = median(counted.map((run) => run[figure]));
  }
  result.counted = quiet.length;
}

/** One transfer into a fresh server. */
async function once({ server: name, client: open }, files, { bytes, place }, patience) {
  const folder = mkdtempSync(join(PLACE, `${name}-`));
  const server = await Server.start(name, folder, place);
  let client;
  try {
    client = await open(server, files);
    execFileSync('sync');
    await quiet(patience);
    const before = cpu(server.pid);
    const others = foreign();
    const seconds = await client.send();
    const busy = others();
    if (!Number.isFinite(seconds)) throw new Error(`${name}: its client does not say how long it took`);
    const stored = server.stored();
    if ((stored ?? bytes) !== bytes) throw new Error(`${name} stored ${stored} of ${bytes} bytes`);
    return {
      seconds,
      cpu: (cpu(server.pid) - before) / (bytes / GiB),
      memory: peakMemory(server.pid),
      foreign: busy,
      quiet: busy <= QUIET,
    };
  } finally {
    await client?.close();
    await server.stop();
    // What is small stays until the end: a file system looks long for room where thousands
    // of files have just been deleted, at the cost of whoever is next.
    if (bytes > KEPT) rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until nobody else uses the machine, but not longer than that. */
async function quiet(patience) {
  for (const since = performance.now(); performance.now() - since < patience * 1000; ) {
    const others = foreign();
    await after(SAMPLE);
    if (others() <= QUIET) return;
  }
}

export function median(figures) {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function say(round, name, { seconds, cpu, memory, foreign, quiet }) {
  const noise = quiet ? '' : `  others ${Math.round(foreign * 100)} %`;
  console.log(
    `  ${round ? `round ${round}` : 'warm-up'}  ${name.padEnd(34)} ${seconds.toFixed(2).padStart(7)} s` +
    `  CPU ${cpu.toFixed(2).padStart(5)} s/GiB  peak ${memory.toFixed(0).padStart(4)} MiB${noise}`,
  );
}
