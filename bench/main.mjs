// Measures Longhaul against its rivals:
//
//   node bench/main.mjs                    all levels; writes results.json and the README's table
//   node bench/main.mjs native small       these, and writes nothing
//   node bench/main.mjs reading            what reading and sending cost a page, without a server of ours
//   node bench/main.mjs --quick            small sizes; the last line is one JSON object
//
// --rounds N are counted; --patience S seconds each run waits for a quiet machine.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { all, quick } from './levels.mjs';
import { measureOverLink } from './link.mjs';
import { measureMainThread } from './main-thread.mjs';
import { BENCH, CHROMIUM, LONGHAUL, PLACE, ROOT } from './paths.mjs';
import { summary, table, writeReadme } from './report.mjs';
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
  versions: { longhaul: longhaul(), chromium: chromium(), ...versions() },
  levels: [],
  resume: [],
};
for (const level of isQuick ? quick() : all().filter(({ name }) => wanted(name))) {
  const result = await (level.link ? measureOverLink : measure)(level, CARE);
  if (result) results.levels.push(result);
}
if (!isQuick && wanted('resume')) results.resume = await measureResume(CARE.rounds);
if (!isQuick && wanted('page')) results.page = await measureMainThread(CARE.rounds);
console.log(`\n${table(results)}`);
if (isQuick) {
  console.log(JSON.stringify(summary(results)));
} else if (names.length === 0) {
  writeFileSync(join(BENCH, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  writeReadme(join(ROOT, 'README.md'), results);
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
