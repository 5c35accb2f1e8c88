// The servers: each alone, fresh, in a folder and on a port of its own.
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { end, start } from './child.mjs';
import { BENCH, LONGHAUL } from './paths.mjs';
import { copyparty, nginx, rustus } from './rivals.mjs';

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
   * Starts one of the servers below with its data in this folder: where it listens, and
   * where clients reach it.
   */
  static async start(name, folder, place = LOOPBACK) {
    const port = await freePort();
    const server = new Server(folder, port, place, SERVERS[name](folder, place.listen, port));
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

/** How each is started, where it takes uploads and where it keeps them. */
const SERVERS = {
  longhaul: (folder, host, port) => ({
    program: LONGHAUL,
    args: ['serve', '--listen', `${host}:${port}`, '--data', folder, ...(host === LOOPBACK.listen ? [] : ['--open'])],
    path: '/',
    files: join(folder, 'files'),
  }),

  nginx: (folder, host, port) => {
    const files = inside(folder, 'files');
    const config = join(folder, 'nginx.conf');
    writeFileSync(config, nginxConfig(folder, files, host, port));
    return { program: nginx(), args: ['-p', folder, '-e', 'stderr', '-c', config], path: '/files/', files };
  },

  tus: (folder, host, port) => {
    const files = inside(folder, 'files');
    return { program: process.execPath, args: [join(BENCH, 'tus-server.mjs'), files, host, port], path: '/files/', files };
  },

  rustus: (folder, host, port) => {
    const files = inside(folder, 'files');
    const info = inside(folder, 'info');
    const args = [
      '--host', host, '--port', port, '--url', '/files', '--data-dir', files, '--info-dir', info,
      '--max-body-size', 2 ** 40, '--log-level', 'ERROR',
    ];
    return { program: rustus(), args, path: '/files/', files };
  },

  copyparty: (folder, host, port) => {
    const files = inside(folder, 'files');
    const args = ['-q', '-i', host, '-p', port, '-v', `${files}::rwmd`];
    return { program: copyparty(), args, env: { XDG_CONFIG_HOME: folder }, path: '/', files };
  },

  /** No server at all: what is written to the disk beside the others. */
  disk: (folder) => ({ path: '/', files: inside(folder, 'files') }),

  /** Answers every message, and keeps nothing. */
  answers: (_, host, port) => ({
    program: process.execPath, args: [join(BENCH, 'answering-server.mjs'), host, port], path: '/',
  }),
};

/** As Debian configures it, with PUT and more connections, and without a limit or a log. */
const nginxConfig = (folder, files, host, port) => `
${process.getuid() === 0 ? 'user root;' : ''}
daemon off;
worker_processes auto;
pid ${folder}/nginx.pid;
events { worker_connections 4096; }
http {
  sendfile on;
  tcp_nopush on;
  types { text/html html; text/javascript js mjs; }
  access_log off;
  client_max_body_size 0;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen ${host}:${port};
    location /files/ { alias ${files}/; dav_methods PUT; }
    location /pages/ { alias ${BENCH}pages/; }
  }
}
`;

function inside(folder, name) {
  const path = join(folder, name);
  if (!existsSync(path)) mkdirSync(path);
  return path;
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
