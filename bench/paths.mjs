// Where everything is that the bench uses.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const BENCH = fileURLToPath(new URL('.', import.meta.url));
export const ROOT = join(BENCH, '..');

/** The Longhaul that is measured: what `make build` has built. */
export const LONGHAUL = join(ROOT, 'target/release/longhaul');
export const CHROMIUM = process.env.LONGHAUL_CHROMIUM ?? '/usr/bin/chromium';

/** What the servers store and the clients send, all on one disk; removed at the end. */
export const PLACE = join(ROOT, 'target/bench');

/** The rivals that are no npm packages; kept. */
const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
export const RIVALS = join(process.env.LONGHAUL_CACHE || join(caches, 'longhaul'), 'bench');
