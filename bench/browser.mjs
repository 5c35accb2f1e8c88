// Chromium as a person has it, driven over the bare DevTools protocol. Its Network domain
// stays off: it copies every frame of a WebSocket, and makes uploads four times slower.
import { EventEmitter, once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';
import { end, start } from './child.mjs';
import { CHROMIUM, PLACE } from './paths.mjs';

const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-extensions', '--remote-debugging-port=0',
];

/** A browser with a fresh profile, and its one page. */
export class Browser {
  #child;
  #profile;
  #socket;
  #calls = new Map();
  #heard = new EventEmitter();
  #id = 0;

  /** Starts it; this origin is secure to it, as one with a certificate would be. */
  static async start(origin) {
    const browser = new Browser();
    browser.#profile = mkdtempSync(join(PLACE, 'profile-'));
    const child = start(CHROMIUM, [
      ...ARGUMENTS, `--user-data-dir=${browser.#profile}`,
      ...(origin ? [`--unsafely-treat-insecure-origin-as-secure=${origin}`] : []), 'about:blank',
    ]);
    browser.#child = child;
    const listening = new Promise((resolve) => {
      createInterface(child.stderr).on('line', (line) => {
        const address = /^DevTools listening on ws:\/\/([^/]*)/.exec(line);
        if (address) resolve(address[1]);
      });
    });
    const ended = child.ended.then((code) => {
      throw new Error(`the browser ended with ${code}: ${child.said}`);
    });
    ended.catch(() => {});
    const address = await Promise.race([listening, ended]);
    const targets = await (await fetch(`http://${address}/json/list`)).json();
    const page = targets.find(({ type }) => type === 'page');
    browser.#socket = new WebSocket(page.webSocketDebuggerUrl);
    browser.#socket.on('message', (data) => browser.#hear(JSON.parse(data)));
    await new Promise((resolve, reject) => browser.#socket.once('open', resolve).once('error', reject));
    await browser.#call('Page.enable');
    return browser;
  }

  get pid() {
    return this.#child.pid;
  }

  /** Opens a page and waits until it has loaded. */
  async open(url) {
    const loaded = once(this.#heard, 'Page.loadEventFired');
    await this.#call('Page.navigate', { url });
    await loaded;
  }

  /** Evaluates a function in the page and waits for what it promises. */
  async evaluate(work, ...args) {
    const expression = `(${work})(${args.map((arg) => JSON.stringify(arg)).join(',')})`;
    const { result, exceptionDetails } = await this.#call('Runtime.evaluate', {
      expression, awaitPromise: true, returnByValue: true,
    });
    if (exceptionDetails) {
      throw new Error(`in the page: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    }
    return result.value;
  }

  /** Moves the pointer over an input, or the label that stands for it, as a person does who is about to click. */
  async approach(selector) {
    const { x, y } = await this.evaluate((selector) => {
      const input = document.querySelector(selector);
      const { left, top, width, height } = (input.closest('label') ?? input).getBoundingClientRect();
      return { x: left + width / 2, y: top + height / 2 };
    }, selector);
    await this.#call('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
  }

  /** Gives files to an input, as a person does who picks them. */
  async pick(selector, files) {
    const { root } = await this.#call('DOM.getDocument');
    const { nodeId } = await this.#call('DOM.querySelector', { nodeId: root.nodeId, selector });
    await this.#call('DOM.setFileInputFiles', { nodeId, files });
  }

  /** What the browser traces of these categories while the work is done. */
  async trace(includedCategories, work) {
    const events = [];
    const collect = ({ value }) => events.push(...value);
    this.#heard.on('Tracing.dataCollected', collect);
    await this.#call('Tracing.start', { traceConfig: { includedCategories } });
    await work();
    const complete = once(this.#heard, 'Tracing.tracingComplete');
    await this.#call('Tracing.end');
    await complete;
    this.#heard.off('Tracing.dataCollected', collect);
    return events;
  }

  async stop() {
    this.#socket?.terminate();
    await end(this.#child);
    // Its helpers end by themselves, and write until then.
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 20 });
  }

  #call(method, params = {}) {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { method, resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  #hear({ id, method, params, result, error }) {
    if (method) this.#heard.emit(method, params);
    const call = this.#calls.get(id);
    if (!call) return;
    this.#calls.delete(id);
    if (error) call.reject(new Error(`${call.method}: ${error.message}`));
    else call.resolve(result);
  }
}
