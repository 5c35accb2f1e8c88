import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { FullResult, Reporter, Suite, TestCase, TestResult } from '@playwright/test/reporter';
import { ANNOTATION, type Interruption } from './matrix';

const README = join(__dirname, '../../README.md');
/** The specs in the order in which they are read best. */
const ORDER = ['network', 'server', 'disk', 'reload', 'tabs', 'away', 'frozen', 'device', 'clock'];
const BETWEEN = /(<!-- the matrix -->\n)[^]*(?=<!-- \/the matrix -->)/;

/**
 * Prints the matrix at the end of a run: a line for each interruption, with the worst
 * figures where it was tried more than once. `LONGHAUL_MATRIX=write` puts it in the README.
 */
export default class MatrixReporter implements Reporter {
  #order = new Map<string, number>();
  #lines: { place: number; interruption: Interruption }[] = [];
  #skipped: string[] = [];

  onBegin(_: unknown, suite: Suite) {
    const spec = ({ location }: TestCase) => ORDER.indexOf(basename(location.file, '.spec.ts'));
    const tests = suite.allTests().toSorted((a, b) => spec(a) - spec(b));
    tests.forEach((test, place) => this.#order.set(test.id, place));
  }

  onTestEnd(test: TestCase, result: TestResult) {
    if (result.status === 'skipped') this.#skipped.push(test.title);
    if (result.status !== 'passed') return;
    for (const { type, description } of result.annotations) {
      if (type !== ANNOTATION) continue;
      const interruption: Interruption = JSON.parse(description!);
      const before = this.#lines.find((line) => line.interruption.what === interruption.what);
      if (before) before.interruption = worst(before.interruption, interruption);
      else this.#lines.push({ place: this.#order.get(test.id)!, interruption });
    }
  }

  onEnd({ status }: FullResult) {
    if (this.#lines.length === 0) return;
    const lines = this.#lines.toSorted((a, b) => a.place - b.place);
    const table = render(lines.map((line) => line.interruption));
    console.log(`\n${table}`);
    if (process.env.LONGHAUL_MATRIX !== 'write') return;
    const readme = readFileSync(README, 'utf8');
    if (status !== 'passed' || this.#skipped.length > 0 || !BETWEEN.test(readme)) {
      throw new Error('the README stays as it was: not all tests ran and passed, or it has no place for the matrix');
    }
    writeFileSync(README, readme.replace(BETWEEN, (_, mark) => mark + table));
  }

  printsToStdio() {
    return false;
  }
}

function worst(a: Interruption, b: Interruption): Interruption {
  const person = a.person === b.person ? a.person : `${a.person}, or ${b.person}`;
  return { ...a, person, resumed: Math.max(a.resumed, b.resumed), twice: Math.max(a.twice, b.twice) };
}

function render(interruptions: Interruption[]): string {
  const line = ({ what, person, resumed, twice, size }: Interruption) =>
    `| ${what} | ${person} | ${seconds(resumed)} | ${mebibytes(twice)} of ${mebibytes(size)} |\n`;
  return [
    '| what happens | the person does | bytes flow again after | sent twice |\n',
    '| --- | --- | --- | --- |\n',
    ...interruptions.map(line),
  ].join('');
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

function mebibytes(bytes: number): string {
  return bytes === 0 ? '0' : `${Number((bytes / 1024 / 1024).toFixed(1))} MiB`;
}
