// How the page of uploads bears ten thousand files: how long it is held up while they are
// added, and how evenly it paints while one scrolls, searches, and twenty of them report.
//
//   node bench/queue.mjs              10,000 files, 3 rounds after one that warms up
//   node bench/queue.mjs 2000 1       other numbers
//
// Chromium's own trace says how long the page's thread was in each task and when its pictures
// were drawn; the page's own clock, how far apart its animation frames are. The last line is
// one JSON object.
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Browser } from './browser.mjs';
import { Line } from './line.mjs';
import { PLACE } from './paths.mjs';
import { median } from './rounds.mjs';
import { Server } from './servers.mjs';

const MiB = 2 ** 20;
const [COUNT = 10_000, ROUNDS = 3] = process.argv.slice(2).map(Number);
const MOVING = 20;
/** So slow that the twenty move as long as anything is measured, in bytes per second. */
const RATE = 8 * MiB;
const INPUT = 'input[type=file]:not([webkitdirectory]):not([capture])';
const TASKS = 'toplevel';
const MARKS = 'blink.user_timing';
const PICTURES = 'devtools.timeline.frame';

rmSync(PLACE, { recursive: true, force: true });
mkdirSync(PLACE, { recursive: true });
process.once('exit', () => rmSync(PLACE, { recursive: true, force: true, maxRetries: 20 }));

const many = sparse('many', COUNT, (n) => (n % 97) + 1, (n) => `picture ${String(n).padStart(5, '0')}.${n % 3 ? 'raw' : 'txt'}`);
const large = sparse('large', MOVING, () => 256 * MiB, (n) => `film ${n}.mkv`);

const runs = [];
for (let round = 0; round <= ROUNDS; round++) {
  const run = await once();
  if (round > 0) runs.push(run);
  console.log(`${round ? `round ${round}` : 'warm-up'}`);
  for (const [what, figures] of Object.entries(run)) console.log(`  ${what.padEnd(34)}${described(figures)}`);
}
const medians = Object.fromEntries(Object.keys(runs[0]).map((what) => [what, ofRuns(what)]));
console.log('medians');
for (const [what, figures] of Object.entries(medians)) console.log(`  ${what.padEnd(34)}${described(figures)}`);
console.log(JSON.stringify({ files: COUNT, moving: MOVING, rounds: ROUNDS, ...medians }));
process.exit();

function ofRuns(what) {
  const figures = Object.keys(runs[0][what]);
  return Object.fromEntries(figures.map((figure) => [figure, median(runs.map((run) => run[what][figure]))]));
}

function described(figures) {
  return Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(1)}`).join(', ');
}

async function once() {
  const folder = mkdtempSync(join(PLACE, 'longhaul-'));
  // Nothing is sent before it is told to.
  writeFileSync(join(folder, 'longhaul.toml'), `auto_upload = false\nmax_concurrency = ${MOVING}\n`);
  const server = await Server.start('longhaul', folder);
  const line = await Line.to(server.port, { rate: RATE });
  const url = server.behind(line.port).url;
  const browser = await Browser.start(new URL(url).origin);
  const run = {};
  const measure = async (what, work) => {
    const events = await browser.trace([TASKS, MARKS, PICTURES, 'disabled-by-default-devtools.timeline'], async () => {
      await browser.evaluate(() => void performance.mark('begin'));
      await work();
      await browser.evaluate(() => void performance.mark('end'));
    });
    run[what] = { ...ofThread(events), ...(await browser.evaluate(() => globalThis.frames() ?? {})) };
  };
  try {
    await browser.open(url);
    await browser.evaluate(prepare);
    await browser.pick(INPUT, large);
    await browser.evaluate((count) => globalThis.listed(count), MOVING);
    await measure('adding', async () => {
      await browser.pick(INPUT, many);
      await browser.evaluate((count) => globalThis.listed(count), MOVING + COUNT);
    });
    await measure('scrolling', () => browser.evaluate(() => globalThis.scrolled(5000, 40)));
    await measure('scrolling fast', () => browser.evaluate(() => globalThis.scrolled(5000, 400)));
    await measure('searching', () => browser.evaluate(() => globalThis.searched()));
    await browser.evaluate((count) => globalThis.started(count), MOVING);
    await measure('20 report', () => browser.evaluate(() => globalThis.waited(5000)));
    await measure('20 report, scrolling', () => browser.evaluate(() => globalThis.scrolled(5000, 40)));
    await measure('20 report, searching', () => browser.evaluate(() => globalThis.searched()));
    return run;
  } finally {
    await browser.stop();
    line.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In the page: waits until it is alive, and prepares what is done in it. */
async function prepare() {
  const until = async (there) => {
    while (!there()) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const list = () => document.querySelector('.upload-list');
  let times = [];
  /** Watches the animation frames while something is done in each of them. */
  const watch = (millis, act) =>
    new Promise((resolve) => {
      times = [];
      const begin = performance.now();
      const frame = (now) => {
        times.push(now);
        if (performance.now() - begin > millis) return resolve();
        act(times.length);
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
  globalThis.frames = () => {
    const apart = times.slice(1).map((time, n) => time - times[n]).sort((a, b) => a - b);
    times = [];
    if (apart.length === 0) return undefined;
    const at = (part) => apart[Math.min(apart.length - 1, Math.floor(apart.length * part))];
    return { frame: at(0.5), frame95: at(0.95), frameMost: apart.at(-1) };
  };
  globalThis.listed = (count) =>
    until(() => Number(list().querySelector('[aria-setsize]')?.getAttribute('aria-setsize')) === count);
  globalThis.scrolled = async (millis, step) => {
    window.scrollTo(0, 0);
    await watch(millis, () => window.scrollBy(0, step));
  };
  globalThis.waited = (millis) => watch(millis, () => {});
  globalThis.searched = async () => {
    window.scrollTo(0, 0);
    const field = document.querySelector('.filter input');
    const words = 'picture 001';
    const type = (text) => {
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    };
    // A letter every eighth frame: faster than anybody types.
    await watch(3000, (n) => n % 8 === 0 && type(words.slice(0, (n / 8) % (words.length + 1))));
    type('');
  };
  globalThis.started = async (count) => {
    window.scrollTo(0, 0);
    for (let n = 0; n < count; n++) {
      const name = `film ${n}.mkv`;
      await until(() => {
        const button = list().querySelector(`[data-name="${name}"] [data-control=first]`);
        button?.scrollIntoView({ block: 'center' });
        button?.click();
        return button;
      });
    }
    window.scrollTo(0, 0);
    await until(() => list().querySelectorAll('[data-state=sending]').length >= 4);
  };
  await until(() => document.querySelector('[data-engine]'));
}

/**
 * From the trace, whose times are in microseconds, in milliseconds: the longest task of the
 * thread that set the marks, and how far apart its pictures were drawn.
 */
function ofThread(events) {
  const mark = (name) => events.find((event) => event.cat === MARKS && event.name === name);
  const [begin, end] = [mark('begin'), mark('end')];
  const tasks = events
    .filter(({ ph, cat, pid, tid }) => ph === 'X' && cat === TASKS && pid === begin.pid && tid === begin.tid)
    .filter(({ ts, dur }) => ts >= begin.ts && ts + dur <= end.ts);
  const drawn = events
    .filter(({ name, pid, ts }) => name === 'DrawFrame' && pid === begin.pid && ts >= begin.ts && ts <= end.ts)
    .map(({ ts }) => ts)
    .toSorted((a, b) => a - b);
  const apart = drawn.slice(1).map((ts, n) => (ts - drawn[n]) / 1e3).toSorted((a, b) => a - b);
  const at = (part) => apart[Math.min(apart.length - 1, Math.floor(apart.length * part))] ?? 0;
  const longest = Math.max(0, ...tasks.map(({ dur }) => dur)) / 1e3;
  return {
    seconds: (end.ts - begin.ts) / 1e6,
    longestTask: longest,
    tasksOver50: tasks.filter(({ dur }) => dur > 50_000).length,
    picture: at(0.5),
    picture95: at(0.95),
  };
}

/** Files that are nothing but their length. */
function sparse(folder, count, size, name) {
  const place = join(PLACE, folder);
  mkdirSync(place);
  return Array.from({ length: count }, (_, n) => {
    const path = join(place, name(n));
    const file = openSync(path, 'w');
    ftruncateSync(file, size(n));
    closeSync(file);
    return path;
  });
}
