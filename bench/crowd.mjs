// Clients in a crowd of others that are connected and idle.
import { once } from 'node:events';
import { join } from 'node:path';
import { end, start } from './child.mjs';
import { BENCH } from './paths.mjs';

/** The same client, while so many others are connected to its server. */
export const amid = (count, kind, open) => async (server, files) => {
  const crowd = start(process.execPath, [join(BENCH, 'idle.mjs'), kind, server.origin, count], { stdout: 'pipe' });
  const left = crowd.ended.then((code) => {
    throw new Error(`the crowd left with ${code}: ${crowd.said}`);
  });
  left.catch(() => {});
  await Promise.race([once(crowd.stdout, 'data'), left]);
  const client = await open(server, files);
  return {
    send: () => Promise.race([client.send(), left]),
    close: () => client.close().finally(() => end(crowd)),
  };
};
