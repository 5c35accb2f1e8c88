// Measures Longhaul against its rivals:
//
//   node bench/main.mjs                    all levels; writes results.json, results.svg and the README
//   node bench/main.mjs native page        these (levels.mjs names them; resume, page, hashing), and writes nothing
//   node bench/main.mjs reading            what reading and sending cost a page, without a server of ours
//   node bench/main.mjs --quick            small sizes; the last line is one JSON object
//
// --rounds N are counted; --patience S seconds each run waits for a quiet machine.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureHashing } from './hashing.mjs';
import { all, quick } from './levels.mjs';
import { measureOverLink } from './link.mjs';
import { measureMainThread } from './main-thread.mjs';
import { CHROMIUM, LONGHAUL, PLACE, ROOT } from './paths.mjs';
import { keep, report, summary } from './report.mjs';
import { measureReading } from './reading.mjs';
import { measureResume } from './resume.mjs';
import { installed, versions } from './rivals.mjs';
import { measure } from './rounds.mjs';

const { values: { quick: isQuick, rounds, patience }, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, rounds: { type: 'string' }, patience: { type: 'string' } },
});
const CARE = { rounds: Number(rounds ?? (isQuick ? 3 : 5)), patience: Number(patience ?? (isQuick ? 1 : 60)) };

if (!existsSync(LONGHAUL)) throw new Error('nothing to measure: run `make build` first');
if (!installed('npm') || !installed('nginx')) throw new Error('nothing to compare with: run `node bench/rivals.mjs` first');

rmSync(PLACE, { recursive: true, force: true });
mkdirSync(PLACE, { recursive: true });
process.once('exit', () => rmSync(PLACE, { recursive: true, force: true, maxRetries: 20 }));

if (names.includes('reading')) {
  await measureReading(CARE.rounds);
  process.exit();
}
const wanted = (name) => names.length === 0 || names.includes(name);
const results = {
  machine: machine(),
  rounds: CARE.rounds,
  versions: { longhaul: longhaul(), chromium: chromium(), ...versions() },
  levels: [],
};
for (const level of isQuick ? quick() : all().filter(({ name }) => wanted(name))) {
  const result = await (level.link ? measureOverLink : measure)(level, CARE);
  if (result) results.levels.push(result);
}
const others = { resume: measureResume, page: measureMainThread, hashing: measureHashing };
for (const [name, measure] of Object.entries(others)) {
  if (!isQuick && wanted(name)) results[name] = await measure(CARE.rounds);
}
console.log(`\n${report(results)}`);
if (isQuick) {
  console.log(JSON.stringify(summary(results)));
} else if (names.length === 0) {
  keep(results);
}

function machine() {
  const memory = Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))[1]) / 2 ** 20;
  return { cpu: cpus()[0].model, cores: cpus().length, memory: `${memory.toFixed(0)} GiB`, kernel: release() };
}

function longhaul() {
  return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: ROOT, encoding: 'utf8' }).trim();
}

function chromium() {
  return execFileSync(CHROMIUM, ['--version'], { encoding: 'utf8', stdio: 'pipe' }).match(/[\d.]+/)[0];
}
