const PARALLEL = 6;

/**
 * Sends the files that the input is given, some at a time; `finished` is then the
 * milliseconds from that moment on until all are stored.
 */
export function sendWhatIsPicked(send) {
  const input = document.querySelector('input');
  globalThis.finished = new Promise((resolve, reject) => {
    input.addEventListener('change', () => {
      const start = performance.now();
      const files = [...input.files];
      const sender = async () => {
        for (let file; (file = files.shift()); ) await send(file);
      };
      Promise.all(Array.from({ length: PARALLEL }, sender)).then(() => resolve(performance.now() - start), reject);
    });
  });
}
