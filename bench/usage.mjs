// What processes have used, as the kernel counts it in /proc.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU seconds of a process, of all that it started, and of those of them that ended. */
export function cpu(pid) {
  let ticks = 0;
  for (const { fields } of family(pid)) {
    // utime, stime, cutime, cstime
    for (const at of [11, 12, 13, 14]) ticks += Number(fields[at]);
  }
  return ticks / TICKS;
}

/**
 * The most memory that a process and those that it started have occupied, in MiB: the sum
 * of each one's peak, so pages that they share count for each.
 */
export function peakMemory(pid) {
  let kib = 0;
  for (const { pid: member } of family(pid)) {
    kib += Number(/VmHWM:\s+(\d+) kB/.exec(read(`/proc/${member}/status`))?.[1] ?? 0);
  }
  return kib / 1024;
}

/**
 * Watches how busy others keep the machine, as a part of all its cores, until it is asked.
 * What the kernel does for nobody in particular, such as writing back files, counts as theirs.
 */
export function foreign() {
  const before = { at: performance.now(), all: allCpu(), own: cpu(process.pid) };
  return () => {
    const seconds = (performance.now() - before.at) / 1000;
    const others = allCpu() - before.all - (cpu(process.pid) - before.own);
    return Math.max(0, others / seconds / availableParallelism());
  };
}

/** CPU seconds of all processes since the machine started. */
function allCpu() {
  const [user, nice, system] = /^cpu +(.*)$/m.exec(read('/proc/stat'))[1].split(' ').map(Number);
  return (user + nice + system) / TICKS;
}

/** A process and all below it, with the fields of their `stat` from the state on. */
function family(pid) {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), stat: read(`/proc/${name}/stat`) }))
    .filter(({ stat }) => stat !== '')
    // The name before it may contain anything.
    .map(({ pid, stat }) => ({ pid, fields: stat.slice(stat.lastIndexOf(')') + 2).split(' ') }));
  const members = all.filter((process) => process.pid === pid);
  for (const member of members) {
    members.push(...all.filter(({ fields }) => Number(fields[1]) === member.pid));
  }
  return members;
}

/** A file of /proc; empty when its process is gone. */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
