import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';

/** One line of the server's log. */
export type Line = { message: string; [field: string]: unknown };

/** A server of one test: its own process on its own port, with its own folder. */
export class Server {
  /** Everything it logged, of all its runs. */
  readonly log: Line[] = [];
  #child?: ChildProcess;

  private constructor(readonly port: number, readonly data: string, readonly options: string[]) {}

  static async start(...options: string[]): Promise<Server> {
    const server = new Server(await freePort(), await mkdtemp(join(tmpdir(), 'longhaul-data-')), options);
    try {
      await server.start();
    } catch (error) {
      await server.dispose();
      throw error;
    }
    return server;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it, for the first time or again: on the same port, with the same data. */
  async start() {
    const child = spawn(
      process.env.LONGHAUL_BIN!,
      ['serve', '--listen', `127.0.0.1:${this.port}`, '--data', this.data, '--log-format', 'json', ...this.options],
      { cwd: this.data, env: ownEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] },
    );
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
    await rm(this.data, { recursive: true, force: true });
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

/** This environment without settings that are meant for another server. */
function ownEnvironment() {
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
