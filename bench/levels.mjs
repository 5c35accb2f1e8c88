// What is measured: in every level first nginx, which the others are compared with.
import { amid } from './crowd.mjs';
import { files } from './files.mjs';
import { copypartyPage, fetchPut, longhaulPage, stopAndWait, tusPage } from './in-chromium.mjs';
import { Line } from './line.mjs';
import { curlPut, longhaulSend, longhaulSendEach, syncedCopy, tusClient, u2cSend } from './natives.mjs';
import { installed } from './rivals.mjs';

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;
const ROUND_TRIP = 50;
const LOSSY = { roundTrip: 80, loss: 0.01 };

/** The levels of `make bench`. */
export const all = () => [
  native(GiB), browser(GiB), far(512 * MiB), lossy('cubic', 6 * MiB), lossy('bbr', 32 * MiB), small(1000), many(100), crowd(1000),
].map(withWhoIsHere);

/** Those of `make bench-quick`: Longhaul and nginx alone, in a small size. */
export const quick = () =>
  [native(256 * MiB), browser(256 * MiB), small(200)].map((level) => ({
    ...level,
    missing: [],
    contenders: level.contenders.filter(({ server }) => ['nginx', 'longhaul', 'disk'].includes(server)),
  }));

const native = (size) => ({
  name: 'native',
  title: `native clients, ${inWords(size)}`,
  ...load(1, size),
  contenders: [
    { name: 'nginx, curl PUT', server: 'nginx', client: curlPut },
    { name: 'Longhaul, longhaul send', server: 'longhaul', client: longhaulSend },
    { name: '@tus/server, tus-js-client', server: 'tus', client: tusClient },
    { name: 'rustus, tus-js-client', server: 'rustus', client: tusClient },
    { name: 'copyparty, u2c', server: 'copyparty', client: u2cSend },
    { name: 'no server: dd, synced', server: 'disk', client: syncedCopy },
  ],
});

const browser = (size) => ({
  name: 'browser',
  title: `Chromium, ${inWords(size)}`,
  ...load(1, size),
  contenders: inChromium,
});

const small = (count) => ({
  name: 'small',
  title: `Chromium, ${count.toLocaleString('en')} files of 4 KiB`,
  ...load(count, 4 * KiB),
  contenders: inChromium,
});

/** Through a line that models distance alone. */
const far = (size) => ({
  name: 'far',
  title: `Chromium, ${inWords(size)}, ${ROUND_TRIP} ms away`,
  ...load(1, size),
  contenders: [
    ...inChromium,
    { name: 'stop and wait, 64 KB', server: 'answers', client: stopAndWait(size / (4 * MiB)) },
  ].map((contender) => ({ ...contender, client: throughLine(contender.client) })),
});

const throughLine = (open) => async (server, files) => {
  const line = await Line.to(server.port, { roundTrip: ROUND_TRIP });
  const client = await open(server.behind(line.port), files);
  return { ...client, close: () => client.close().finally(() => line.close()) };
};

/**
 * Over a link that loses packets, whose rate nothing here comes near. What a sender makes of
 * loss is its system's choice: most have CUBIC, which slows down; BBR hardly does.
 */
const lossy = (congestion, size) => ({
  name: congestion === 'cubic' ? 'lossy' : `lossy-${congestion}`,
  title: `Chromium, ${inWords(size)}, ${LOSSY.roundTrip} ms away with ${LOSSY.loss * 100} % loss, ${congestion.toUpperCase()}`,
  ...load(1, size),
  link: { ...LOSSY, congestion },
  most: 3,
  contenders: inChromium,
});

const many = (count) => ({
  name: 'many',
  title: `${count} native clients at once, 16 MiB each`,
  ...load(count, 16 * MiB),
  contenders: [
    { name: 'nginx, curl PUT', server: 'nginx', client: curlPut },
    { name: 'Longhaul, longhaul send', server: 'longhaul', client: longhaulSendEach },
    { name: '@tus/server, tus-js-client', server: 'tus', client: tusClient },
    { name: 'rustus, tus-js-client', server: 'rustus', client: tusClient },
  ],
});

/** A hundred that send, among so many that are connected and do not. */
const crowd = (idle) => ({
  name: 'crowd',
  title: `100 native clients at once, 4 MiB each, and ${idle.toLocaleString('en')} idle ones`,
  ...load(100, 4 * MiB),
  contenders: [
    { name: 'nginx, curl PUT', server: 'nginx', client: amid(idle, 'nginx', curlPut) },
    { name: 'Longhaul, longhaul send', server: 'longhaul', client: amid(idle, 'longhaul', longhaulSendEach) },
  ],
});

const inChromium = [
  { name: 'nginx, fetch PUT', server: 'nginx', client: fetchPut },
  { name: 'Longhaul, its page', server: 'longhaul', client: longhaulPage },
  { name: '@tus/server, tus-js-client', server: 'tus', client: tusPage },
  { name: 'copyparty, its page', server: 'copyparty', client: copypartyPage },
];

const inWords = (size) => (size < GiB ? `${size / MiB} MiB` : `${size / GiB} GiB`);

function load(count, size) {
  return { bytes: count * size, make: () => files(count, size) };
}

/** Leaves out whom we do not have, and says so. */
function withWhoIsHere(level) {
  const missing = ['rustus', 'copyparty'].filter((name) => !installed(name));
  return {
    ...level,
    missing: level.contenders.filter(({ server }) => missing.includes(server)).map(({ name }) => name),
    contenders: level.contenders.filter(({ server }) => !missing.includes(server)),
  };
}
