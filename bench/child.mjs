// Processes of ours: what they say when they fail is said, and none outlives the bench.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const running = new Set();
process.once('exit', () => running.forEach((child) => child.kill()));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

/** Starts a program, whose errors are in `said`. */
export function start(program, args, { cwd, env = {}, stdout = 'ignore' } = {}) {
  // Settings of this environment are meant for another Longhaul.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(LONGHAUL|LEPTOS)_/.test(name));
  const child = spawn(program, args, {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', stdout, 'pipe'],
  });
  running.add(child);
  child.said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (child.said = (child.said + text).slice(-2000)));
  child.ended = once(child, 'exit').then(([code, signal]) => {
    running.delete(child);
    return code ?? signal;
  });
  child.ended.catch(() => running.delete(child));
  return child;
}

/** Runs a program to its end; what it printed. */
export async function run(program, args, options = {}) {
  const child = start(program, args, { ...options, stdout: 'pipe' });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (printed += text));
  const code = await child.ended;
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${child.said}`);
  return printed;
}

/** Ends a process of ours and waits until it is gone; one that was asked takes its workers along. */
export async function end(child, signal = 'SIGTERM') {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  await child.ended;
}
