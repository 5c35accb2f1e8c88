// The files that are sent.
import { createCipheriv, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PLACE } from './paths.mjs';

const MiB = 2 ** 20;

/** So many files of so many random bytes; their paths. */
export function files(count, size) {
  const folder = join(PLACE, `${count}x${size}`);
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: count }, (_, n) => random(join(folder, `${n}.bin`), size));
}

/** A cipher is the fastest source of bytes that nothing can compress. */
function random(path, size) {
  const source = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  const zeros = Buffer.alloc(Math.min(size, 8 * MiB));
  const file = openSync(path, 'w');
  for (let left = size; left > 0; left -= zeros.length) {
    writeSync(file, source.update(zeros.subarray(0, Math.min(left, zeros.length))));
  }
  closeSync(file);
  return path;
}
