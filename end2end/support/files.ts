import { execFile } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

/** The files that the person of a test has. */
export class Files {
  private constructor(readonly folder: string) {}

  static async create(): Promise<Files> {
    return new Files(await mkdtemp(join(tmpdir(), 'longhaul-files-')));
  }

  /** A file of random bytes; its path. */
  async random(name: string, size: number): Promise<string> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'w');
    // A cipher is the fastest source of bytes that nothing can compress.
    const source = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
    const zeros = Buffer.alloc(Math.min(size, 8 * MiB));
    for (let left = size; left > 0; left -= zeros.length) {
      await file.write(source.update(zeros.subarray(0, Math.min(left, zeros.length))));
    }
    await file.close();
    return path;
  }

  /** A copy of a file that differs from it in one byte; its path. */
  async changed(name: string, source: string, offset: number): Promise<string> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await copyFile(source, path);
    const file = await open(path, 'r+');
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, offset);
    await file.write(buffer.map((byte) => byte ^ 1), 0, 1, offset);
    await file.close();
    return path;
  }

  /** A file with this text; its path. */
  async text(name: string, content: string): Promise<string> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    return path;
  }

  async dispose() {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The BLAKE3 of a file, from a program that is not ours. */
export async function b3sum(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)('b3sum', ['--no-names', path]);
  return stdout.trim();
}
