// What reading a file costs a page, and sending what was read: the ways of
// pages/reading.js, in rounds, each of them the whole file.
import { Browser } from './browser.mjs';
import { files } from './files.mjs';
import { serve } from './pages.mjs';
import { median } from './rounds.mjs';
import { sink } from './sink.mjs';
import { cpu } from './usage.mjs';

const SIZE = 2 ** 30;

const slices = (size, ahead) => [`slice().arrayBuffer(), ${size} MiB, ${ahead} at once`, ['slices', size, ahead], ['nowhere']];
const into256 = ['into', 256];
const WAYS = [
  slices(1, 1), slices(1, 4), slices(4, 2), slices(8, 2), slices(16, 2), slices(32, 2),
  ['FileReaderSync, 16 MiB', ['sync', 16], ['nowhere']],
  ['stream()', ['stream'], ['nowhere']],
  ['stream() into a buffer of 256 KiB', into256, ['nowhere']],
  ['stream() into a buffer of 1 MiB', ['into', 1024], ['nowhere']],
  ['the same, 256 KiB, a stream for each 16 MiB', ['parts', 16, 256], ['nowhere']],
  ['slices of 16 MiB, 2 at once → WebSocket, 256 KiB', ['slices', 16, 2], ['sockets', 1, 256]],
  ['stream into 256 KiB → WebSocket, 256 KiB', into256, ['sockets', 1, 256]],
  ['stream into 1 MiB → WebSocket, 1 MiB', ['into', 1024], ['sockets', 1, 1024]],
  ['stream into 256 KiB → two WebSockets', into256, ['sockets', 2, 256]],
  ['stream into 256 KiB → WebSocketStream', into256, ['stream', 256]],
  ['Blobs of 1 MiB → WebSocket', ['blobs', 1], ['sockets', 1, 1024]],
  ['Blobs of 16 MiB → WebSocket', ['blobs', 16], ['sockets', 1, 16 * 1024]],
].map(([name, read, send]) => ({ name, read, send }));

/** Measures them, and prints medians as a table in Markdown. */
export async function measureReading(rounds) {
  const [file] = files(1, SIZE);
  const [pages, server] = await Promise.all([serve(), sink()]);
  const browser = await Browser.start();
  const runs = WAYS.map(() => []);
  try {
    await browser.open(`${pages.url}/pages/reading.html`);
    await browser.pick('input', [file]);
    for (let round = 0; round <= rounds; round++) {
      console.log(round === 0 ? '== warm-up' : `== round ${round}`);
      for (const [n, way] of WAYS.entries()) {
        const before = cpu(browser.pid);
        const seconds = await browser.evaluate((...given) => globalThis.measure(...given), way, server.url);
        if (round > 0) runs[n].push({ speed: SIZE / seconds / 1e6, cpu: cpu(browser.pid) - before });
      }
    }
  } finally {
    await browser.stop();
    pages.close();
    server.close();
  }
  console.log('| way | MB/s | CPU of the browser, s per GiB |\n| --- | --- | --- |');
  for (const [n, { name }] of WAYS.entries()) {
    const of = (figure) => median(runs[n].map((run) => run[figure]));
    console.log(`| ${name} | ${of('speed').toFixed(0)} | ${of('cpu').toFixed(2)} |`);
  }
}
