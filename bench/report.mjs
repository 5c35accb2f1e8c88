// What is said of the results: tables and a picture for people, and one object of ratios for
// scripts.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { described } from './main-thread.mjs';
import { BENCH, ROOT } from './paths.mjs';
import { plot } from './plot.mjs';

const BETWEEN = /(<!-- the bench -->\n)[^]*(?=<!-- \/the bench -->)/;
const PICTURE = 'results.svg';
/** More files than this are told in seconds; fewer in bytes per second. */
const FEW = 100;

/** All of it in Markdown: a table for each level, then the rest. */
export function report({ machine, rounds, versions, levels, resume, page, hashing }) {
  const known = Object.entries(versions).filter(([, version]) => version);
  return [
    ...levels.map(ofLevel),
    others('after the server returns, bytes flow again in', resume, ({ seconds }) => `${seconds.toFixed(2)} s`),
    others('hashing alone', hashing, ({ speed }) => `${(speed / 1e9).toFixed(2)} GB/s`),
    page && `In Chromium, ${page.title}: ${described(page)}.\n`,
    `Medians of ${rounds} rounds. ${machine.cores} × ${machine.cpu}, ${machine.memory}, Linux ${machine.kernel}; ` +
    `${known.map(([name, version]) => `${name} ${version}`).join(', ')}.\n`,
  ].filter(Boolean).join('\n');
}

function ofLevel(level) {
  const lines = level.contenders.map((contender) => {
    const { name, server, ratio, cpu, memory, counted } = contender;
    const noisy = counted === 0 ? ' (never quiet)' : '';
    const served = memory > 0 ? `${cpu.toFixed(2)} | ${memory.toFixed(0)}` : ' | ';
    const cells = [name, pace(level, contender) + noisy, figures(ratio), served].join(' | ');
    return `| ${server === 'longhaul' ? cells.replace(name, `**${name}**`) : cells} |\n`;
  });
  const missing = level.missing.map((name) => `| ${name} | not here, or does not work here | | | |\n`);
  return `| ${level.title} | | × nginx | server CPU, s per GiB | peak memory, MiB |\n` +
    `| --- | --- | --- | --- | --- |\n${[...lines, ...missing].join('')}`;
}

function others(title, results, figure) {
  if (!results?.length) return undefined;
  return `| ${title} | |\n| --- | --- |\n${results.map((result) => `| ${result.name} | ${figure(result)} |\n`).join('')}`;
}

/** How fast a contender is, in the terms of its level. */
function pace({ bytes, files }, { seconds }) {
  if (files > FEW) return `${seconds.toFixed(2)} s`;
  const speed = bytes / seconds / 1e6;
  return `${speed < 10 ? speed.toFixed(2) : speed.toFixed(0)} MB/s`;
}

const figures = (ratio) => (ratio < 0.1 ? ratio.toPrecision(1) : ratio.toFixed(2));

/** Keeps the results: as data, as a picture, and in the README between the marks. */
export function keep(results) {
  const path = join(ROOT, 'README.md');
  const readme = readFileSync(path, 'utf8');
  if (!BETWEEN.test(readme)) throw new Error('the README has no place for the results');
  const picture = `![How many times as fast as nginx each is](bench/${PICTURE})\n\n`;
  writeFileSync(join(BENCH, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(BENCH, PICTURE), plot(results, pace));
  writeFileSync(path, readme.replace(BETWEEN, (_, mark) => mark + picture + report(results)));
}

/**
 * Longhaul against nginx. Ratios of speed: above 1, Longhaul is the faster one.
 * `server_cpu_vs_nginx` is CPU per GiB of Longhaul's server by that of nginx, and
 * `native_vs_synced_dd` the speed by that of writing and syncing alone.
 */
export function summary({ levels }) {
  const of = (name) => levels.find((level) => level.name === name).contenders;
  const one = (name, server) => of(name).find((contender) => contender.server === server);
  const longhaul = (name) => one(name, 'longhaul');
  const round = (figure) => Number(figure.toFixed(2));
  return {
    native_vs_nginx: round(longhaul('native').ratio),
    native_vs_synced_dd: round(longhaul('native').ratio / one('native', 'disk').ratio),
    browser_vs_fetch_put: round(longhaul('browser').ratio),
    small_vs_fetch_put: round(longhaul('small').ratio),
    server_cpu_vs_nginx: round(longhaul('native').cpu / one('native', 'nginx').cpu),
    peak_rss_mib: round(Math.max(...['native', 'browser', 'small'].map((name) => longhaul(name).memory))),
    quiet: levels.every(({ contenders }) => contenders.every(({ counted }) => counted > 0)),
  };
}
