// How fast blocks are hashed where nothing else is to be done: by the server and the native
// client, which Criterion measures, and in Chromium out of memory, by the module with SIMD
// and by one without, which is what the bundle has.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Browser } from './browser.mjs';
import { PLACE, ROOT } from './paths.mjs';
import { median } from './rounds.mjs';

const MiB = 2 ** 20;
const BLOCKS = 512;

/** The speed of each in bytes per second. */
export async function measureHashing(rounds) {
  console.log('== hashing alone');
  const results = [{ name: 'native, one thread', speed: native() }];
  const modules = [
    { name: 'Chromium, WASM with SIMD', wasm: join(ROOT, 'target/site/hasher.wasm') },
    { name: 'Chromium, WASM without SIMD', wasm: plainModule() },
  ].map(({ name, wasm }) => ({ name, wasm: readFileSync(wasm, 'base64'), runs: [] }));
  const browser = await Browser.start();
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const { wasm, runs } of modules) {
        const seconds = await browser.evaluate(hash, wasm, BLOCKS);
        if (round > 0) runs.push((BLOCKS * MiB) / seconds);
      }
    }
  } finally {
    await browser.stop();
  }
  results.push(...modules.map(({ name, runs }) => ({ name, runs, speed: median(runs) })));
  for (const { name, speed } of results) console.log(`  ${name.padEnd(30)} ${(speed / 1e9).toFixed(2)} GB/s`);
  return results;
}

function native() {
  const bench = ['bench', '--quiet', '--no-default-features', '--features=ssr', '--bench=hot', '--', 'hash a block'];
  execFileSync('cargo', bench, { cwd: ROOT, stdio: 'pipe' });
  const estimates = join(ROOT, 'target/criterion/tree/hash a block/new/estimates.json');
  const { median: { point_estimate: nanoseconds } } = JSON.parse(readFileSync(estimates, 'utf8'));
  return MiB / (nanoseconds / 1e9);
}

function plainModule() {
  const path = join(PLACE, 'plain-hasher.wasm');
  execFileSync(join(ROOT, 'scripts/build-hasher'), [path, '--quiet', '--no-default-features'], { stdio: 'inherit' });
  return path;
}

/** In the page: the seconds that a module takes for so many blocks, as `client/hasher.rs` feeds it. */
async function hash(base64, count) {
  const code = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const { instance: { exports } } = await WebAssembly.instantiate(code, {});
  const [block, length] = [new Uint8Array(2 ** 20).fill(7), 2 ** 16];
  // It grows its memory for the piece, and the buffer from before is none any more.
  const place = exports.piece();
  const piece = new Uint8Array(exports.memory.buffer, place, length);
  const blocks = (from, to) => {
    for (let index = from; index < to; index++) {
      exports.begin(index);
      for (let at = 0; at < block.length; at += length) {
        piece.set(block.subarray(at, at + length));
        exports.update(length);
      }
      exports.finish(false);
    }
  };
  // Until the browser has compiled it as well as it can.
  blocks(0, count / 4);
  const start = performance.now();
  blocks(0, count);
  return (performance.now() - start) / 1000;
}
