/** Where the engine of a page may live: what is taken away leaves it to the next. */
export const HOSTS = {
  shared: () => {},
  worker: () => {
    delete (globalThis as any).SharedWorker;
  },
  page: () => {
    delete (globalThis as any).SharedWorker;
    delete (globalThis as any).Worker;
  },
};
export type Host = keyof typeof HOSTS;
