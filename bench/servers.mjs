// The servers: each alone, fresh, in a folder and on a port of its own.
import { readdirSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { end, start } from './child.mjs';
import { PROGRAMS } from './programs.mjs';

const LOOPBACK = { listen: '127.0.0.1', reach: '127.0.0.1' };

/** A server that runs. */
export class Server {
  #child;
  #how;

  constructor(folder, port, place, how) {
    Object.assign(this, { folder, port, place });
    this.#how = how;
  }

  /**
   * Starts one of the servers of programs.mjs with its data in this folder; `place` is where
   * it listens, and where clients reach it.
   */
  static async start(name, folder, place = LOOPBACK) {
    const port = await freePort();
    const server = new Server(folder, port, place, PROGRAMS[name](folder, place.listen, port));
    await server.start();
    return server;
  }

  /** Starts it, for the first time or again, and waits until it listens. */
  async start() {
    const { program, args, env } = this.#how;
    if (!program) return;
    const child = start(program, args, { cwd: this.folder, env });
    this.#child = child;
    for (const since = performance.now(); !(await listens(this.place.listen, this.port)); await after(5)) {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${child.said}`);
      if (performance.now() - since > 30_000) throw new Error(`${program} does not listen: ${child.said}`);
    }
  }

  /** Of its process, if it has one. */
  get pid() {
    return this.#child?.pid;
  }

  get origin() {
    return `http://${this.place.reach}:${this.port}`;
  }

  /** Where uploads go. */
  get url() {
    return this.origin + this.#how.path;
  }

  /** What a client needs to know that reaches it through another port. */
  behind(port) {
    const origin = `http://127.0.0.1:${port}`;
    return { port, origin, url: origin + this.#how.path, folder: this.folder };
  }

  /** How many bytes of files it has stored; undefined if it keeps none. */
  stored() {
    if (!this.#how.files) return undefined;
    const sizes = readdirSync(this.#how.files, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.json') && !`${entry.path}/`.includes('/.hist/'))
      .map((entry) => statSync(join(entry.path, entry.name)).size);
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async stop(signal) {
    if (this.#child) await end(this.#child, signal);
  }
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function listens(host, port) {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
