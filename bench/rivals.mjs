// Installs the rivals, each in the version that is named here or in package-lock.json:
//
//   node bench/rivals.mjs                # all
//   node bench/rivals.mjs npm nginx      # these
//
// What is there stays as it is. A rival that cannot be installed is said to be missing,
// and `installed` leaves it out of every level, where it is said again.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BENCH, RIVALS } from './paths.mjs';

const RUSTUS = '0.5.10';
const COPYPARTY = '1.20.26';

const modules = join(BENCH, 'node_modules');
const lock = join(BENCH, 'package-lock.json');
const nginxFolder = join(RIVALS, 'nginx');
const rustusFolder = join(RIVALS, `rustus-${RUSTUS}`);
const copypartyFolder = join(RIVALS, `copyparty-${COPYPARTY}`);

/** What can be installed: the program by which we know that it is here, and how it gets here. */
const rivals = {
  npm: {
    what: '@tus/server, tus-js-client',
    here: () => same(lock, join(modules, '.installed')),
    install() {
      run('npm', ['ci', '--silent', '--no-audit', '--no-fund', '--prefix', BENCH]);
      copyFileSync(lock, join(modules, '.installed'));
    },
  },
  nginx: {
    what: "nginx, the system's or Debian's",
    here: () => nginx() !== undefined,
    // Unpacked and not installed: needs no root, and starts no service.
    install() {
      mkdirSync(nginxFolder, { recursive: true });
      run('apt-get', ['download', '-q', 'nginx'], nginxFolder);
      for (const file of readdirSync(nginxFolder).filter((name) => name.endsWith('.deb'))) {
        run('dpkg', ['-x', file, '.'], nginxFolder);
      }
    },
  },
  rustus: {
    what: `rustus ${RUSTUS}, compiled: some minutes`,
    here: () => existsSync(rustus()),
    install: () => run('cargo', ['install', '-q', '--locked', '--root', rustusFolder, '--version', `=${RUSTUS}`, 'rustus']),
  },
  copyparty: {
    what: `copyparty ${COPYPARTY} with u2c`,
    here: () => existsSync(u2c()),
    install() {
      run('python3', ['-m', 'venv', copypartyFolder]);
      run(join(copypartyFolder, 'bin/pip'), ['install', '-q', `copyparty==${COPYPARTY}`]);
    },
  },
};

/** The nginx that is installed, or the one that was unpacked here. */
export function nginx() {
  return ['/usr/sbin/nginx', join(nginxFolder, 'usr/sbin/nginx')].find(existsSync);
}

export const rustus = () => join(rustusFolder, 'bin/rustus');
export const copyparty = () => join(copypartyFolder, 'bin/copyparty');
export const u2c = () => join(copypartyFolder, 'bin/u2c');

/** Whether a rival is here. */
export const installed = (name) => rivals[name].here();

/** The versions of those that are here. */
export function versions() {
  const said = (program, ...args) => {
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    return `${stdout}${stderr}`.trim().split('\n')[0];
  };
  const npm = (name) => JSON.parse(readFileSync(lock, 'utf8')).packages[`node_modules/${name}`].version;
  return {
    nginx: nginx() && said(nginx(), '-v').replace(/^.*nginx\//, ''),
    '@tus/server': npm('@tus/server'),
    'tus-js-client': npm('tus-js-client'),
    rustus: installed('rustus') ? RUSTUS : undefined,
    copyparty: installed('copyparty') ? COPYPARTY : undefined,
  };
}

function install(names) {
  mkdirSync(RIVALS, { recursive: true });
  for (const name of names) {
    const { what, here, install } = rivals[name];
    if (here()) {
      console.log(`  ${name.padEnd(10)} here`);
      continue;
    }
    console.log(`  ${name.padEnd(10)} installing ${what}`);
    try {
      install();
    } catch (error) {
      console.log(`  ${name.padEnd(10)} MISSING, and left out: ${error.message}`);
    }
  }
}

function run(program, args, cwd = RIVALS) {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
}

function same(a, b) {
  return existsSync(b) && readFileSync(a).equals(readFileSync(b));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !(name in rivals));
  if (unknown.length > 0) throw new Error(`no such rival: ${unknown.join(', ')}`);
  console.log('== rivals');
  install(asked.length > 0 ? asked : Object.keys(rivals));
}
