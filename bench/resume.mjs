// How soon an upload goes on when its server is back: killed at a fifth of the file, gone for
// two seconds, and started again. The time is from the moment when it listens to that when
// the client has sent the first bytes of the file. `fetch` and curl start over, and have no line.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as lasts } from 'node:timers/promises';
import { files } from './files.mjs';
import { longhaulPage, tusPage } from './in-chromium.mjs';
import { Line } from './line.mjs';
import { longhaulSend, tusClient } from './natives.mjs';
import { PLACE } from './paths.mjs';
import { median } from './rounds.mjs';
import { Server } from './servers.mjs';

const MiB = 2 ** 20;
const SIZE = 128 * MiB;
const RATE = 32 * MiB;
const GONE = 2000;
/** More than this on one connection is file, not only greetings. */
const GREETINGS = 128 * 1024;

const CONTENDERS = [
  { name: 'Longhaul, longhaul send', server: 'longhaul', client: longhaulSend },
  { name: 'Longhaul, its page', server: 'longhaul', client: longhaulPage },
  { name: '@tus/server, tus-js-client', server: 'tus', client: tusClient },
  { name: '@tus/server, tus-js-client in Chromium', server: 'tus', client: tusPage },
];

/** The seconds of each contender in each round, and their median. */
export async function measureResume(rounds) {
  console.log('== resume after a restart of the server');
  const sent = files(1, SIZE);
  const results = CONTENDERS.map(({ name }) => ({ name, runs: [] }));
  for (let round = 1; round <= rounds; round++) {
    for (const [n, contender] of CONTENDERS.entries()) {
      const seconds = await once(contender, sent);
      results[n].runs.push(seconds);
      console.log(`  round ${round}  ${contender.name.padEnd(40)} ${seconds.toFixed(2).padStart(6)} s`);
    }
  }
  sent.forEach((file) => rmSync(file));
  return results.map((result) => ({ ...result, seconds: median(result.runs) }));
}

async function once({ server: name, client }, sent) {
  const folder = mkdtempSync(join(PLACE, `${name}-`));
  const server = await Server.start(name, folder);
  const line = await Line.to(server.port, { rate: RATE });
  const { send, close } = await client(server.behind(line.port), sent);
  try {
    let before = 0;
    const fifth = new Promise((resolve) => {
      line.onSent = (connection, bytes) => {
        before = Math.max(before, connection);
        if (bytes > SIZE / 5) resolve();
      };
    });
    const finished = send();
    finished.catch(() => {});
    await Promise.race([fifth, finished]);
    await server.stop('SIGKILL');
    await lasts(GONE);
    const flows = new Promise((resolve) => {
      line.onSent = (connection, bytes) => connection > before && bytes > GREETINGS && resolve(performance.now());
    });
    await server.start();
    const back = performance.now();
    const first = await Promise.race([flows, finished]);
    await finished;
    if (server.stored() !== SIZE) throw new Error(`${name} stored ${server.stored()} of ${SIZE} bytes`);
    return (first - back) / 1000;
  } finally {
    await close();
    line.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
