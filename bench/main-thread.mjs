// How busy Longhaul keeps the main thread of its page while files are sent: what a person
// notices. Chromium's own trace says it, between two marks that the page sets: how long its
// tasks took, and how much of that the thread had a processor. The engine, the server and the
// process that paints want the same processors.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { files } from './files.mjs';
import { longhaulPage } from './in-chromium.mjs';
import { PLACE } from './paths.mjs';
import { median } from './rounds.mjs';
import { Server } from './servers.mjs';

const MiB = 2 ** 20;
const COUNT = 20;
const SIZE = 32 * MiB;
const TASKS = 'toplevel';
const MARKS = 'blink.user_timing';

/**
 * Medians of the `longest` task and the most `work` in one, both in milliseconds, and of the
 * part of the time that the thread was in tasks, `occupied`, and at work, `busy`.
 */
export async function measureMainThread(rounds) {
  const title = `the page's main thread while ${COUNT} files of ${SIZE / MiB} MiB are sent`;
  console.log(`== ${title}`);
  const sent = files(COUNT, SIZE);
  const runs = [];
  for (let round = 0; round <= rounds; round++) {
    const run = await once(sent);
    if (round > 0) runs.push(run);
    console.log(`  ${round ? `round ${round}` : 'warm-up'}  ${described(run)}  in ${run.seconds.toFixed(2)} s`);
  }
  sent.forEach((file) => rmSync(file));
  const of = (figure) => median(runs.map((run) => run[figure]));
  return { title, runs, longest: of('longest'), work: of('work'), occupied: of('occupied'), busy: of('busy') };
}

/** Those figures in words. */
export function described({ longest, work, occupied, busy }) {
  const percent = (part) => `${(part * 100).toFixed(1)} %`;
  return `longest task ${longest.toFixed(0)} ms, most work in one ${work.toFixed(0)} ms, ` +
    `in tasks ${percent(occupied)}, at work ${percent(busy)} of the time`;
}

async function once(sent) {
  const folder = mkdtempSync(join(PLACE, 'longhaul-'));
  const server = await Server.start('longhaul', folder);
  const { send, close, browser } = await longhaulPage(server, sent);
  try {
    const mark = (name) => browser.evaluate((name) => void performance.mark(name), name);
    const events = await browser.trace([TASKS, MARKS], async () => {
      await mark('begin');
      await send();
      await mark('end');
    });
    return ofMainThread(events);
  } finally {
    await close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From the trace, whose times are in microseconds, what the thread did that set the marks. */
function ofMainThread(events) {
  const mark = (name) => events.find((event) => event.cat === MARKS && event.name === name);
  const [begin, end] = [mark('begin'), mark('end')];
  const tasks = events
    .filter(({ ph, cat, pid, tid }) => ph === 'X' && cat === TASKS && pid === begin.pid && tid === begin.tid)
    .filter(({ ts, dur }) => ts >= begin.ts && ts + dur <= end.ts)
    .toSorted((a, b) => a.ts - b.ts);
  // A task may contain others.
  let until = 0;
  const outer = tasks.filter(({ ts, dur }) => ts >= until && (until = ts + dur));
  const time = end.ts - begin.ts;
  const most = (figure) => Math.max(...outer.map((task) => task[figure] ?? 0)) / 1e3;
  const part = (figure) => outer.reduce((sum, task) => sum + (task[figure] ?? 0), 0) / time;
  return { longest: most('dur'), work: most('tdur'), occupied: part('dur'), busy: part('tdur'), seconds: time / 1e6 };
}
