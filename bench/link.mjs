// Levels over a link with loss. This module runs itself again in a network namespace of its
// own, which needs no root, and lays the link of link.py there: the TCP is the kernel's, the
// packets that are lost are real ones, and the browser speaks to the server without a proxy.
//
// A process of its own, since a process cannot change its namespace:
// unshare ... node bench/link.mjs LEVEL CARE RESULT
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { end, start } from './child.mjs';
import { all } from './levels.mjs';
import { BENCH, PLACE } from './paths.mjs';
import { measure } from './rounds.mjs';

const SELF = fileURLToPath(import.meta.url);
const NAMESPACE = ['--user', '--map-root-user', '--net'];
/** A hundred megabits. */
const RATE = 12.5e6;
/** The exit code that says so. */
const NO_LINK = 3;
const ENDS = { listen: '10.9.0.1', reach: '10.9.0.2' };

/** Measures such a level, as `measure` does; null where there can be no link. */
export async function measureOverLink(level, care) {
  const leftOut = (why) => {
    console.log(`== ${level.title}: left out, there can be no link: ${why}`);
    return null;
  };
  const trial = spawnSync('unshare', [...NAMESPACE, 'ip', 'link', 'set', 'lo', 'up'], { encoding: 'utf8' });
  if (trial.status !== 0) return leftOut(trial.error?.message ?? trial.stderr.trim());
  const result = join(PLACE, `${level.name}.json`);
  const args = [...NAMESPACE, process.execPath, SELF, level.name, JSON.stringify(care), result];
  const { status } = spawnSync('unshare', args, { stdio: 'inherit' });
  if (status === NO_LINK) return leftOut('see above');
  if (status !== 0) throw new Error(`${level.name}, in its namespace, ended with ${status}`);
  return JSON.parse(readFileSync(result, 'utf8'));
}

async function inNamespace(name, care, result) {
  const level = all().find((level) => level.name === name);
  const { roundTrip, loss, congestion } = level.link;
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  // A connection shall not know what became of the one before.
  writeFileSync('/proc/sys/net/ipv4/tcp_no_metrics_save', '1');
  const args = [roundTrip / 1000, loss, RATE, congestion].map(String);
  const link = start('python3', [join(BENCH, 'link.py'), ...args], { stdout: 'pipe' });
  const code = await Promise.race([once(link.stdout, 'data').then(() => undefined), link.ended]);
  if (code !== undefined) {
    console.log(link.said.trim());
    process.exit(NO_LINK);
  }
  writeFileSync(result, JSON.stringify(await measure({ ...level, place: ENDS }, care)));
  await end(link);
}

if (process.argv[1] === SELF) {
  const [name, care, result] = process.argv.slice(2);
  await inNamespace(name, JSON.parse(care), result);
}
