import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';

const PIECE = 65_536;

/** One line of the server's log. */
export type Line = { message: string; [field: string]: unknown };

/** A server of one test: its own process on its own port, with its own folder. */
export class Server {
  /** Everything it logged, of all its runs. */
  readonly log: Line[] = [];
  /** What is started: another one from its next start on, as after a deploy. */
  program = process.env.LONGHAUL_BIN!;
  #child?: ChildProcess;

  private constructor(
    readonly port: number,
    readonly folder: string,
    readonly options: string[],
    /** How many bytes its own disk holds, if it has one. */
    readonly disk?: number,
  ) {}

  /** Starts one; on a `disk` of its own that holds so many bytes, which ends with it. */
  static async start(options: string[] = [], disk?: number): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-data-'));
    const server = new Server(await freePort(), folder, options, disk);
    try {
      await server.start();
    } catch (error) {
      await server.dispose();
      throw error;
    }
    return server;
  }

  /** Where everything is that it keeps, as we see it. */
  get data(): string {
    return this.disk === undefined ? this.folder : `/proc/${this.#child!.pid}/root${this.folder}`;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it, for the first time or again: on the same port, with the same data. */
  async start() {
    const serve = ['serve', '--listen', `127.0.0.1:${this.port}`, '--data', this.folder, '--log-format', 'json'];
    const [program, ...rest] = [...(this.disk === undefined ? [] : ownDisk(this.disk)), this.program, ...serve, ...this.options];
    const child = spawn(program, rest, {
      cwd: this.folder,
      env: { ...ownEnvironment(), FOLDER: this.folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const orphaned = () => child.kill('SIGKILL');
    process.once('exit', orphaned);
    child.once('exit', () => process.off('exit', orphaned));
    const plain: string[] = [];
    createInterface(child.stderr!).on('line', (line) => {
      try {
        this.log.push(JSON.parse(line).fields);
      } catch {
        plain.push(line);
      }
    });
    const up = new Promise<void>((resolve) => {
      createInterface(child.stdout!).on('line', (line) => line.startsWith('Longhaul is at') && resolve());
    });
    const down = once(child, 'exit').then(([code]) => {
      throw new Error(`the server ended with ${code}: ${plain.join(' ')}`);
    });
    down.catch(() => {});
    await Promise.race([up, down]);
  }

  /** The lines that say this. */
  logged(message: string): Line[] {
    return this.log.filter((line) => line.message === message);
  }

  /** Ends it at once, without a chance to finish anything. */
  async kill() {
    await this.#end('SIGKILL');
  }

  /** Asks it to end, and waits until it has. */
  async stop() {
    await this.#end('SIGTERM');
  }

  /** Lets something else take all that is left of its own disk; gives it back when called. */
  async fillDisk(): Promise<() => Promise<void>> {
    const path = join(this.data, 'other');
    const file = await open(path, 'w');
    const full = async () => {
      for (let bytes = 0; bytes <= this.disk!; bytes += PIECE) await file.write(Buffer.alloc(PIECE));
    };
    const error = await full().catch((error) => error);
    await file.close();
    if (error?.code !== 'ENOSPC') throw new Error(`the disk did not get full: ${error}`);
    return () => rm(path);
  }

  /** Stops it where it is: it stays there, and does nothing. */
  freeze() {
    this.#child!.kill('SIGSTOP');
  }

  thaw() {
    this.#child!.kill('SIGCONT');
  }

  /** Ends it and takes away all that it kept. */
  async dispose() {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The most memory that this run has occupied, in bytes. */
  peakMemory(): number {
    const status = readFileSync(`/proc/${this.#child!.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024;
  }

  /** Where a file that arrived is on the disk. */
  stored(path: string): string {
    return join(this.data, 'files', path);
  }

  /** The paths of all files that arrived. */
  files(): string[] {
    return within(join(this.data, 'files'));
  }

  /** The parts of uploads that are unfinished. */
  parts(): string[] {
    return within(join(this.data, 'parts'));
  }

  async #end(signal: NodeJS.Signals) {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}

function within(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .filter((path) => statSync(path).isFile())
    .map((path) => relative(folder, path))
    .sort();
}

/** Starts a program that alone sees a disk of so many bytes mounted on $FOLDER. */
function ownDisk(bytes: number): string[] {
  const mount = `mount -t tmpfs -o size=${bytes} disk "$FOLDER" && exec "$0" "$@"`;
  return ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', mount];
}

/** Whether this machine lets us have such a disk. */
export function canHaveDisks(): boolean {
  const [program, ...rest] = [...ownDisk(65_536), 'true'];
  return spawnSync(program, rest, { env: { ...process.env, FOLDER: tmpdir() } }).status === 0;
}

/** This environment without settings that are meant for another server. */
export function ownEnvironment() {
  const meant = ([name]: [string, unknown]) =>
    name === 'LONGHAUL_SITE_ROOT' || !/^(LONGHAUL|LEPTOS)_/.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(meant));
}

/**
 * A port that stays free while its server is down: below those that the system gives
 * to outgoing connections, one of which might else take it in the meantime.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
