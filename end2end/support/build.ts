import { cp, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The same program with a bundle of another name, as another version of it has. */
export class Build {
  private constructor(private readonly folder: string) {}

  static async another(): Promise<Build> {
    const self = new Build(await mkdtemp(join(tmpdir(), 'longhaul-build-')));
    try {
      await self.#make();
    } catch (error) {
      await self.dispose();
      throw error;
    }
    return self;
  }

  async #make() {
    const ours = process.env.LONGHAUL_BIN!;
    await cp(join(dirname(ours), '../site'), join(this.folder, 'site'), { recursive: true });
    await cp(ours, this.program);
    const list = await readFile(join(dirname(ours), 'hash.txt'), 'utf8');
    const [, name] = /js: (.*)/.exec(list)!;
    const other = [...name].reverse().join('');
    await writeFile(join(this.folder, 'release/hash.txt'), list.replace(name, other));
    const pkg = join(this.folder, 'site/pkg');
    for (const file of await readdir(pkg)) await rename(join(pkg, file), join(pkg, file.replace(name, other)));
  }

  get program() {
    return join(this.folder, 'release/longhaul');
  }

  async dispose() {
    await rm(this.folder, { recursive: true, force: true });
  }
}
