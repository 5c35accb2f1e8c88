// Takes the files that a phone's share sheet sends here, and tells when all is done while
// nobody looks. It keeps no pages and answers for none: only a share goes through it.
const SHARE = '/share';

self.addEventListener('install', (event) => {
  self.skipWaiting();
  event.waitUntil(leaveAlone(event).catch(() => {}));
});

// Where browsers can be told, nothing else even wakes it.
async function leaveAlone(event) {
  await event.addRoutes?.({ condition: { not: { urlPattern: SHARE } }, source: 'network' });
}

self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method === 'POST' && new URL(url).pathname === SHARE) event.respondWith(take(event.request));
});

// The page asks for what waits here, unless it is an installed one: a form of another
// site can be sent here as well.
async function take(request) {
  try {
    const sent = (await request.formData()).getAll('files');
    await keep(sent.filter((it) => it instanceof File && it.name));
    return Response.redirect('/?shared', 303);
  } catch (error) {
    console.error(error);
    return Response.redirect('/?shared=not', 303);
  }
}

// `client/shared.rs` knows the same database. A file is there until its upload has ended.
async function keep(files) {
  const database = await new Promise((resolve, reject) => {
    const asked = indexedDB.open('longhaul-shared', 1);
    asked.onupgradeneeded = () => ['files', 'taken'].forEach((name) => asked.result.createObjectStore(name));
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  try {
    await new Promise((resolve, reject) => {
      const transaction = database.transaction('files', 'readwrite', { durability: 'strict' });
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
      for (const file of files) transaction.objectStore('files').put(file, tag());
    });
  } finally {
    database.close();
  }
}

function tag() {
  return crypto.getRandomValues(new BigUint64Array(1))[0].toString(16);
}

// Every page that nobody sees says so; one notification takes the place of another.
self.addEventListener('message', (event) => event.waitUntil(tell(event.data)));

async function tell({ title, body }) {
  if ((await pages()).some((page) => page.visibilityState === 'visible')) return;
  await self.registration.showNotification(title, { body, tag: 'done', icon: '/icon-192.png' });
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(show());
});

async function show() {
  const [page] = await pages();
  await (page ? page.focus() : self.clients.openWindow('/'));
}

function pages() {
  return self.clients.matchAll({ type: 'window', includeUncontrolled: true });
}
