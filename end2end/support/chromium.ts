import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Page, chromium } from '@playwright/test';
import { HOSTS, type Host } from './hosts';

/** The program. */
export const CHROMIUM = process.env.LONGHAUL_CHROMIUM ?? '/usr/bin/chromium';

/** What it is always started with. */
export const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/**
 * A browser as a person has it: a process that can be killed, and a profile on the disk
 * with which it is started again.
 *
 * Playwright only watches it. The browsers that Playwright starts by itself have no
 * back/forward cache, and pages in them believe that they are always in front, so that
 * nothing can freeze them.
 */
export class Chromium {
  #child?: ChildProcess;

  private constructor(readonly profile: string, readonly host: Host, readonly environment: NodeJS.ProcessEnv) {}

  /**
   * One with a fresh profile, whose pages have their engine there; `environment` is what
   * its process has besides ours.
   */
  static async install(host: Host, environment: NodeJS.ProcessEnv = {}): Promise<Chromium> {
    return new Chromium(await mkdtemp(join(tmpdir(), 'longhaul-profile-')), host, environment);
  }

  /** Starts it; its one page. */
  async start(): Promise<Page> {
    const flags = [...ARGUMENTS, '--headless', '--remote-debugging-port=0', `--user-data-dir=${this.profile}`];
    const child = spawn(CHROMIUM, [...flags, 'about:blank'], {
      env: { ...process.env, ...this.environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    const orphaned = () => child.kill('SIGKILL');
    process.once('exit', orphaned);
    child.once('exit', () => process.off('exit', orphaned));
    const said: string[] = [];
    const address = new Promise<string>((resolve) => {
      createInterface(child.stderr!).on('line', (line) => {
        said.push(line);
        const listening = /^DevTools listening on (ws:.*)/.exec(line);
        if (listening) resolve(listening[1]);
      });
    });
    const ended = once(child, 'exit').then(() => {
      throw new Error(`the browser ended: ${said.join(' ')}`);
    });
    ended.catch(() => {});
    const watched = await chromium.connectOverCDP(await Promise.race([address, ended]), {
      isLocal: true,
      noDefaults: true,
    });
    const [context] = watched.contexts();
    await context.addInitScript(HOSTS[this.host]);
    // Whoever is asked whether to leave a page does leave it.
    context.on('dialog', (dialog) => dialog.accept());
    return context.pages()[0];
  }

  /** Ends it at once, as a crash or a power cut does. */
  async kill() {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async dispose() {
    await this.kill();
    // Its helpers end by themselves, and write until then.
    await rm(this.profile, { recursive: true, force: true, maxRetries: 20 });
  }
}

/** Puts a page to sleep as browsers do with tabs that nobody looks at, and wakes it. */
export async function lifecycle(page: Page, state: 'frozen' | 'active') {
  const debug = await page.context().newCDPSession(page);
  await debug.send('Page.setWebLifecycleState', { state });
  await debug.detach();
}
