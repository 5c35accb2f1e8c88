// What is said of the results: a table for people, and one object of ratios for scripts.
import { described } from './main-thread.mjs';
import { readFileSync, writeFileSync } from 'node:fs';

const BETWEEN = /(<!-- the bench -->\n)[^]*(?=<!-- \/the bench -->)/;
/** More files than this are told in seconds; fewer in bytes per second. */
const FEW = 100;

/** The table in Markdown. */
export function table({ machine, versions, levels, resume, page }) {
  const known = Object.entries(versions).filter(([, version]) => version);
  const lines = levels.flatMap((level) => [
    ...level.contenders.map((contender) => line(level, contender)),
    ...level.missing.map((name) => `| ${level.title} | ${name} | not measured: it is not here, or does not work here | | | |\n`),
  ]);
  return [
    '| what | into what, by what | speed or time | × nginx | server CPU, s per GiB | peak memory, MiB |\n',
    '| --- | --- | --- | --- | --- | --- |\n',
    ...lines,
    ...resume.map(({ name, seconds }) => `| from the server's return to bytes that flow | ${name} | ${seconds.toFixed(2)} s | | | |\n`),
    page ? `\n${page.title}: ${described(page)}.\n` : '',
    `\n${machine.cores} × ${machine.cpu}, ${machine.memory}, Linux ${machine.kernel}; `,
    `${known.map(([name, version]) => `${name} ${version}`).join(', ')}.\n`,
  ].join('');
}

function line({ title, bytes, files }, { name, seconds, ratio, cpu, memory, counted }) {
  const pace = files <= FEW ? `${(bytes / seconds / 1e6).toFixed(0)} MB/s` : `${seconds.toFixed(2)} s`;
  const noisy = counted === 0 ? ' (never quiet)' : '';
  return `| ${title} | ${name} | ${pace}${noisy} | ${ratio.toFixed(2)} | ${cpu.toFixed(2)} | ${memory.toFixed(0)} |\n`;
}

/** Puts the table between its marks. */
export function writeReadme(path, results) {
  const readme = readFileSync(path, 'utf8');
  if (!BETWEEN.test(readme)) throw new Error('the README has no place for the table');
  writeFileSync(path, readme.replace(BETWEEN, (_, mark) => mark + table(results)));
}

/**
 * Longhaul against nginx. Ratios of speed: above 1, Longhaul is the faster one.
 * `server_cpu_vs_nginx` is CPU per GiB of Longhaul's server by that of nginx.
 */
export function summary({ levels }) {
  const of = (name) => levels.find((level) => level.name === name).contenders;
  const longhaul = (name) => of(name).find(({ name }) => name.startsWith('Longhaul'));
  const [nginx] = of('native');
  const round = (figure) => Number(figure.toFixed(2));
  return {
    native_vs_nginx: round(longhaul('native').ratio),
    browser_vs_fetch_put: round(longhaul('browser').ratio),
    small_vs_fetch_put: round(longhaul('small').ratio),
    server_cpu_vs_nginx: round(longhaul('native').cpu / nginx.cpu),
    peak_rss_mib: round(Math.max(...['native', 'browser', 'small'].map((name) => longhaul(name).memory))),
    quiet: levels.every(({ contenders }) => contenders.every(({ counted }) => counted > 0)),
  };
}
