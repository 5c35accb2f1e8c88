import type { Page } from '@playwright/test';

/**
 * Drops a file whose handle may be read for good without asking: one of the file system
 * that every origin has to itself. Only the drop is made up.
 */
export async function dropKept(page: Page, path: string) {
  await withFile(page, path, async (file) => {
    const folder = await navigator.storage.getDirectory();
    const handle = await folder.getFileHandle(file.name, { create: true });
    await file.stream().pipeTo(await handle.createWritable());
    (DataTransferItem.prototype as any).getAsFileSystemHandle = async () => handle;
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(await handle.getFile());
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  });
}

/**
 * Answers for the person when the page asks whether it may read the file of a handle.
 * Nobody can click in the browser's own question here; so this stands in for it, and,
 * as the browser does, hears only a page on which the person has just done something.
 */
export async function allowReading(page: Page, path: string) {
  await withFile(page, path, (file) => {
    let allowed = false;
    const handles = FileSystemFileHandle.prototype as any;
    handles.requestPermission = async () => {
      if (!navigator.userActivation.isActive) throw new DOMException('no click', 'SecurityError');
      allowed = true;
      return 'granted';
    };
    handles.getFile = async () => {
      if (!allowed) throw new DOMException('not allowed', 'NotAllowedError');
      return file;
    };
  });
}

/** Lets the page do something with a file of the disk. */
async function withFile(page: Page, path: string, act: (file: File) => unknown) {
  const input = await page.evaluateHandle(() => Object.assign(document.createElement('input'), { type: 'file' }));
  await input.setInputFiles(path);
  await page.evaluate(([input, act]) => (0, eval)(`(${act})`)(input.files![0]), [input, String(act)] as const);
  await input.dispose();
}
