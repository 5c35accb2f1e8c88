// Sends files with tus-js-client, all at once, and prints the milliseconds that it took:
// node tus-client.mjs ENDPOINT PARALLEL FILE...
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Upload } from 'tus-js-client';

const [endpoint, parallel, ...paths] = process.argv.slice(2);
const send = (path) =>
  new Promise((resolve, reject) => {
    const metadata = { filename: basename(path) };
    new Upload(createReadStream(path), { endpoint, metadata, onSuccess: resolve, onError: reject }).start();
  });
const start = performance.now();
const sender = async () => {
  for (let path; (path = paths.shift()); ) await send(path);
};
await Promise.all(Array.from({ length: Number(parallel) }, sender));
console.log(performance.now() - start);
