// The clients that are pages in Chromium. Each is opened first; `send` then gives it the files
// and tells the seconds until the page knows that all are stored: by the page's own clock,
// from the event with which it gets the files on.
import { setTimeout as lasts } from 'node:timers/promises';
import { Browser } from './browser.mjs';
import { serve } from './pages.mjs';

/** How long a page may take until it can be used, in milliseconds. */
const PATIENCE = 60_000;

/** How long a person takes at the least from the pointer over the button to files that are chosen, in milliseconds. */
const CHOICE = 500;

/** Longhaul's own page, until its list says that all are stored. */
export const longhaulPage = (server, files) =>
  inPage(server.url, files, 'input[type=file]:not([webkitdirectory])', watchList);

/** A page that PUTs each file with `fetch`, six at a time. */
export const fetchPut = (server, files) =>
  inPage(`${server.origin}/pages/put.html`, files, 'input', () => {});

/** A page with tus-js-client, as its documentation has it, six uploads at a time. */
export const tusPage = (server, files) => inOurPage(`tus.html?${server.url}`, files);

/**
 * A page that sends 64 KB, waits for the answer, and sends the next. That takes long: it
 * sends one part of so many, and tells the time that all of them would take.
 */
export const stopAndWait = (parts) => async (server, files) => {
  const client = await inOurPage(`stop-and-wait.html?${server.url.replace('http', 'ws')}&${parts}`, files);
  return { ...client, send: async () => (await client.send()) * parts };
};

/** copyparty's own page, until its counter of finished files says all. */
export const copypartyPage = (server, files) =>
  inPage(server.url, files, '#u2form input[type=file]:not([webkitdirectory])', watchCopyparty);

/** One of `pages`, for a server that serves none. */
async function inOurPage(page, files) {
  const pages = await serve();
  const client = await inPage(`${pages.url}/pages/${page}`, files, 'input', () => {});
  return { ...client, close: () => client.close().finally(() => pages.close()) };
}

/** Opens a page and prepares it; `send` gives it the files and waits for what is then in `finished`. */
async function inPage(url, files, input, prepare) {
  const browser = await Browser.start(new URL(url).origin);
  const close = () => browser.stop();
  try {
    await browser.open(url);
    const dead = lasts(PATIENCE, undefined, { ref: false }).then(() => {
      throw new Error(`${url} does not come to life`);
    });
    await Promise.race([browser.evaluate(prepare, files.length), dead]);
  } catch (error) {
    await close();
    throw error;
  }
  const send = async () => {
    await browser.approach(input);
    await lasts(CHOICE);
    await browser.pick(input, files);
    return (await browser.evaluate(() => globalThis.finished)) / 1000;
  };
  return { send, close, browser };
}

/** In Longhaul's page: waits until it is alive, and then watches the numbers of its list. */
async function watchList(count) {
  const changed = (until) =>
    new Promise((resolve) => {
      const look = () => {
        if (!until()) return;
        observer.disconnect();
        resolve();
      };
      const observer = new MutationObserver(look);
      const attributeFilter = ['data-stored', 'data-failed', 'data-engine'];
      observer.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter });
      look();
    });
  await changed(() => document.querySelector('[data-engine]'));
  globalThis.finished = new Promise((resolve, reject) => {
    const begin = async () => {
      const start = performance.now();
      const uploads = (state) => Number(document.querySelector('.upload-list').dataset[state]);
      await changed(() => uploads('stored') + uploads('failed') === count);
      const time = performance.now() - start;
      if (uploads('failed') > 0) reject(new Error(`${uploads('failed')} uploads failed`));
      else resolve(time);
    };
    document.addEventListener('change', begin, { capture: true, once: true });
  });
}

/** In copyparty's page: tells it not to ask before each upload, and watches its counter of files that are done. */
function watchCopyparty(count) {
  globalThis.up2k.uc.ask_up = false;
  globalThis.finished = new Promise((resolve) => {
    const begin = () => {
      const start = performance.now();
      const cards = document.querySelector('#u2cards');
      const done = () => Number(cards.querySelector('a[act=ok] span').textContent) === count;
      new MutationObserver(() => done() && resolve(performance.now() - start))
        .observe(cards, { subtree: true, childList: true, characterData: true });
    };
    document.addEventListener('change', begin, { capture: true, once: true });
  });
}
