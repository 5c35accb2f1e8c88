// The clients without a browser: `send` tells the seconds until the server has said that all
// files are stored.
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { run } from './child.mjs';
import { BENCH, LONGHAUL } from './paths.mjs';
import { u2c } from './rivals.mjs';

/** Longhaul's, one process for all files. */
export const longhaulSend = timed((server, files) =>
  run(LONGHAUL, ['send', '--to', server.url, ...files], { env: { XDG_STATE_HOME: server.folder } }));

/** As many processes of Longhaul's as there are files, all at once. */
export const longhaulSendEach = timed((server, files) =>
  Promise.all(files.map((file, n) =>
    run(LONGHAUL, ['send', '--to', server.url, file], { env: { XDG_STATE_HOME: join(server.folder, `state-${n}`) } }))));

/** As many processes of curl as there are files, all at once. */
export const curlPut = timed((server, files) =>
  Promise.all(files.map((file) =>
    run('curl', ['--silent', '--show-error', '--fail', '-T', file, server.url + basename(file)]))));

/** tus-js-client in Node, without the time that Node takes to start. */
export const tusClient = client(async (server, files) => {
  const printed = await run(process.execPath, [join(BENCH, 'tus-client.mjs'), server.url, files.length, ...files]);
  return Number(printed) / 1000;
});

/** copyparty's, which hashes what it sends. */
export const u2cSend = timed((server, files) =>
  run(u2c(), ['-ns', '-j', availableParallelism(), server.url, ...files]));

/** No client: a copy on the server's disk, which ends when it is synced. */
export const syncedCopy = timed((server, files) =>
  Promise.all(files.map((file) =>
    run('dd', [`if=${file}`, `of=${join(server.folder, 'files', basename(file))}`, 'bs=1M', 'conv=fsync']))));

function timed(work) {
  return client(async (server, files) => {
    const start = performance.now();
    await work(server, files);
    return (performance.now() - start) / 1000;
  });
}

/** There is nothing to prepare or to close. */
function client(send) {
  return async (server, files) => ({ send: () => send(server, files), close: async () => {} });
}
