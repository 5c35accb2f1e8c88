import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from '@playwright/test';
import { ARGUMENTS, CHROMIUM } from './support/chromium';

// The server that was built with the site: the one beside which stands the list of
// the site's hashed names.
const target = join(__dirname, '../target');
process.env.LONGHAUL_BIN ??= join(target, ['release', 'debug'].find(madeTheSite) ?? 'release', 'longhaul');

function madeTheSite(profile: string) {
  const list = join(target, profile, 'hash.txt');
  const pkg = join(target, 'site/pkg');
  if (!existsSync(list) || !existsSync(pkg)) return false;
  const script = /js: (.*)/.exec(readFileSync(list, 'utf8'))?.[1];
  return readdirSync(pkg).some((name) => name.endsWith(`.${script}.js`));
}

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  // The matrix first: what failed is said last.
  reporter: [['./support/matrix-reporter.ts'], ['list'], ['html', { open: 'never' }]],
  // Tests wait for slow lines more than they compute.
  workers: 3,
  retries: 0,
  fullyParallel: true,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  // On demand only: pictures (`npm run screenshots`), and the development server, which
  // compiles for minutes (`npm run dev-saves`).
  grepInvert: [
    ...(process.env.LONGHAUL_SCREENSHOTS ? [] : [/@screenshots/]),
    ...(process.env.LONGHAUL_DEV ? [] : [/@dev/]),
  ],
  use: {
    // A trace holds all that was sent, and slows the sending; ask for one with --trace on.
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: { executablePath: CHROMIUM, args: ARGUMENTS },
  },
});
