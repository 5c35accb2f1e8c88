// Before the page is alive nobody takes what is dropped, and the browser would leave for the
// file. What comes too early waits here; the page takes it by calling `takeEarly`, once.
(() => {
  const early = [];
  const kinds = ['dragover', 'drop'];
  const wait = (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    if (event.type !== 'drop') return;
    // It can be read now and never again.
    for (const item of event.dataTransfer.items) {
      if (item.kind === 'file') {
        early.push([item.webkitGetAsEntry(), item.getAsFile(), item.getAsFileSystemHandle?.()]);
      }
    }
  };
  for (const kind of kinds) addEventListener(kind, wait);
  window.takeEarly = () => {
    for (const kind of kinds) removeEventListener(kind, wait);
    delete window.takeEarly;
    return early;
  };
})();
