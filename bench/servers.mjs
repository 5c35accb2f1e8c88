// The servers: each alone, fresh, in a folder and on a port of its own.
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { end, start } from './child.mjs';
import { BENCH, LONGHAUL } from './paths.mjs';
import { copyparty, nginx, rustus } from './rivals.mjs';

/** A server that runs. */
export class Server {
  #child;
  #how;

  constructor(folder, port, how) {
    Object.assign(this, { folder, port });
    this.#how = how;
  }

  /** Starts one of the servers below with its data in this folder. */
  static async start(name, folder) {
    const port = await freePort();
    const server = new Server(folder, port, SERVERS[name](folder, port));
    await server.start();
    return server;
  }

  /** Starts it, for the first time or again, and waits until it listens. */
  async start() {
    const { program, args, env } = this.#how;
    const child = start(program, args, { cwd: this.folder, env });
    this.#child = child;
    for (const since = performance.now(); !(await listens(this.port)); await after(5)) {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${child.said}`);
      if (performance.now() - since > 30_000) throw new Error(`${program} does not listen: ${child.said}`);
    }
  }

  get pid() {
    return this.#child.pid;
  }

  /** Where uploads go. */
  get url() {
    return this.behind(this.port).url;
  }

  /** What a client needs to know that reaches it through another port. */
  behind(port) {
    return { port, url: `http://127.0.0.1:${port}${this.#how.path}`, folder: this.folder };
  }

  /** How many bytes of files it has stored. */
  stored() {
    const sizes = readdirSync(this.#how.files, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.json') && !`${entry.path}/`.includes('/.hist/'))
      .map((entry) => statSync(join(entry.path, entry.name)).size);
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async stop(signal) {
    await end(this.#child, signal);
  }
}

/** How each is started, where it takes uploads and where it keeps them. */
const SERVERS = {
  longhaul: (folder, port) => ({
    program: LONGHAUL,
    args: ['serve', '--listen', `127.0.0.1:${port}`, '--data', folder],
    path: '/',
    files: join(folder, 'files'),
  }),

  nginx: (folder, port) => {
    const files = inside(folder, 'files');
    const config = join(folder, 'nginx.conf');
    writeFileSync(config, nginxConfig(folder, files, port));
    return { program: nginx(), args: ['-p', folder, '-e', 'stderr', '-c', config], path: '/files/', files };
  },

  tus: (folder, port) => {
    const files = inside(folder, 'files');
    return { program: process.execPath, args: [join(BENCH, 'tus-server.mjs'), files, port], path: '/files/', files };
  },

  rustus: (folder, port) => {
    const files = inside(folder, 'files');
    const info = inside(folder, 'info');
    const args = [
      '--host', '127.0.0.1', '--port', port, '--url', '/files', '--data-dir', files, '--info-dir', info,
      '--max-body-size', 2 ** 40, '--log-level', 'ERROR',
    ];
    return { program: rustus(), args, path: '/files/', files };
  },

  copyparty: (folder, port) => {
    const files = inside(folder, 'files');
    const args = ['-q', '-i', '127.0.0.1', '-p', port, '-v', `${files}::rwmd`];
    return { program: copyparty(), args, env: { XDG_CONFIG_HOME: folder }, path: '/', files };
  },
};

/** As Debian configures it, with PUT, and without a limit or a log. */
const nginxConfig = (folder, files, port) => `
${process.getuid() === 0 ? 'user root;' : ''}
daemon off;
worker_processes auto;
pid ${folder}/nginx.pid;
events { worker_connections 768; }
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
    listen 127.0.0.1:${port};
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

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
