#!/usr/bin/env node
// Builds the release, site and server, as `cargo leptos build --release
// --precompress` does and from the same [package.metadata.leptos]. It is here
// because compiling cargo-leptos takes longer than compiling Longhaul; that the
// two agree to the byte is tested by scripts/same-site.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';

const { SWC_HOME, LIGHTNINGCSS_HOME } = process.env;
if (!SWC_HOME) fail('run it as `make build`, which knows where the tools are');

process.chdir(new URL('..', import.meta.url).pathname);
const cargo = JSON.parse(output('cargo', ['metadata', '--format-version=1', '--no-deps']));
const { name, metadata: { leptos } } = cargo.packages.find((p) => p.metadata?.leptos);
const target = cargo.target_directory;
const out = leptos['output-name'];
const pkg = join(leptos['site-root'], leptos['site-pkg-dir']);

// The settings that Leptos reads when it is compiled: the same as cargo-leptos
// gives, or the one would rebuild what the other has built.
Object.assign(process.env, {
  LEPTOS_OUTPUT_NAME: out,
  LEPTOS_SITE_ROOT: leptos['site-root'],
  LEPTOS_SITE_PKG_DIR: leptos['site-pkg-dir'],
  LEPTOS_SITE_ADDR: leptos['site-addr'],
  LEPTOS_RELOAD_PORT: String(leptos['reload-port']),
  LEPTOS_LIB_DIR: '.',
  LEPTOS_BIN_DIR: '.',
  LEPTOS_JS_MINIFY: 'true',
  LEPTOS_HASH_FILES: 'true',
  LEPTOS_HASH_FILE_NAME: leptos['hash-file-name'],
});

// Both at once: for most of its time the site keeps one processor busy, in the linker and
// in wasm-opt. The progress shown is the server's, which takes longer.
const profile = leptos['lib-profile-release'];
const front = run('cargo', ['build', `--package=${name}`, '--lib', `--target-dir=${target}/front`,
  '--target=wasm32-unknown-unknown', '--no-default-features',
  `--features=${leptos['lib-features']}`, `--profile=${profile}`], { CARGO_TERM_PROGRESS_WHEN: 'never' });
await Promise.all([
  front.then(() => site(`${target}/front/wasm32-unknown-unknown/${profile}/${name.replaceAll('-', '_')}.wasm`)),
  run('cargo', ['build', `--package=${name}`, `--bin=${name}`, '--no-default-features',
    `--features=${leptos['bin-features']}`, '--release']),
]);

async function site(wasm) {
  const root = leptos['site-root'];
  const hashFile = `${target}/release/${leptos['hash-file-name']}`;
  const stampFile = `${root}.stamp`;

  // Whatever went in and came out is as it was: nothing to do.
  const sources = digest(wasm, 'style', leptos['assets-dir'], 'Cargo.toml', 'scripts');
  const stamp = () => `${sources} ${digest(root, hashFile)}\n`;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp()) {
    console.log('    Finished the site (nothing changed)');
    return;
  }

  rmSync(root, { recursive: true, force: true });
  mkdirSync(pkg, { recursive: true });
  if (existsSync(leptos['assets-dir'])) cpSync(leptos['assets-dir'], root, { recursive: true });

  step('wasm-bindgen, wasm-opt');
  await run('wasm-bindgen', ['--target=web', `--out-name=${out}`, `--out-dir=${pkg}`, wasm]);
  renameSync(`${pkg}/${out}_bg.wasm`, `${pkg}/${out}.wasm`);
  await run('scripts/wasm-opt', [...leptos['wasm-opt-features'], `${pkg}/${out}.wasm`, '-o', `${pkg}/${out}.wasm`]);

  step('swc, lightningcss');
  const swc = createRequire(`${SWC_HOME}/`)('@swc/core');
  edit(`${pkg}/${out}.js`, (js) => swc.minifySync(js, { compress: true, mangle: true, module: true }).code);
  writeFileSync(`${pkg}/${out}.css`, css(leptos['style-file']));

  step('hashed names');
  const hashes = {};
  const renamed = {};
  for (const path of files(pkg).filter((path) => !path.includes('snippets'))) {
    const [stem, ext] = [basename(path, extname(path)), extname(path)];
    const hash = createHash('md5').update(readFileSync(path)).digest('base64url');
    renameSync(path, join(dirname(path), `${stem}.${hash}${ext}`));
    hashes[basename(path)] = hash;
    renamed[path.slice(pkg.length + 1)] = join(dirname(path), `${stem}.${hash}${ext}`).slice(pkg.length + 1);
  }
  edit(join(pkg, renamed[`${out}.js`]), (js) =>
    Object.entries(renamed).reduce((text, [from, to]) => text.replaceAll(from, to), js));
  mkdirSync(dirname(hashFile), { recursive: true });
  writeFileSync(hashFile, ['js', 'wasm', 'css'].map((ext) => `${ext}: ${hashes[`${out}.${ext}`]}\n`).join(''));

  step('gzip, brotli');
  await Promise.all(files(root).filter((path) => !/\.(gz|br)$/.test(path)).flatMap((path) => {
    const bytes = readFileSync(path);
    return [
      promisify(gzip)(bytes, { level: 9 }).then((small) => writeFileSync(`${path}.gz`, small)),
      promisify(brotliCompress)(bytes).then((small) => writeFileSync(`${path}.br`, small)),
    ];
  }));
  writeFileSync(stampFile, stamp());
}

// First all files into one, then that one for the browsers, as cargo-leptos does.
function css(file) {
  const modules = `${LIGHTNINGCSS_HOME}/node_modules`;
  const lightningcss = join(modules, readdirSync(modules).find((dir) => /^lightningcss-cli-/.test(dir)), 'lightningcss');
  const bundle = `${target}/bundle.css`;
  writeFileSync(bundle, output(lightningcss, ['--bundle', file]));
  return output(lightningcss, ['--minify', '--targets', leptos['browserquery'], bundle]).trimEnd();
}

function files(path) {
  return readdirSync(path, { withFileTypes: true })
    .flatMap((entry) => entry.isDirectory() ? files(join(path, entry.name)) : [join(path, entry.name)])
    .sort();
}

function digest(...paths) {
  const hash = createHash('md5');
  for (const path of paths.filter((path) => existsSync(path))) {
    for (const file of extname(path) ? [path] : files(path)) hash.update(`${file}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function edit(path, change) {
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}

function step(what) {
  console.log(`        Site ${what}`);
}

function output(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 });
}

async function run(command, args, env = {}) {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  process.once('exit', () => child.kill());
  const [code] = await once(child, 'close').catch(() => []);
  if (code !== 0) fail(`${command} ${args.join(' ')} failed: see above`);
}

function fail(why) {
  console.error(`build-site: ${why}`);
  process.exit(1);
}
