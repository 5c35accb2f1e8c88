// The programs that are servers, and how each of them is configured.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH, LONGHAUL } from './paths.mjs';
import { copyparty, nginx, rustus } from './rivals.mjs';

const LOOPBACK = '127.0.0.1';

/** How each is started, where it takes uploads and where it keeps them. */
export const PROGRAMS = {
  longhaul: (folder, host, port) => ({
    program: LONGHAUL,
    args: ['serve', '--listen', `${host}:${port}`, '--data', folder, ...(host === LOOPBACK ? [] : ['--open'])],
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
