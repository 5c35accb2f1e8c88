import type { Page } from '@playwright/test';

/**
 * Drops files whose handles may be read for good without asking: of the file system that
 * every origin has to itself. Only the drop is made up.
 */
export async function dropKept(page: Page, ...paths: string[]) {
  await withFiles(page, paths, async (files) => {
    const folder = await navigator.storage.getDirectory();
    const handles = new Map<string, FileSystemFileHandle>();
    const dataTransfer = new DataTransfer();
    for (const file of files) {
      const handle = await folder.getFileHandle(file.name, { create: true });
      await file.stream().pipeTo(await handle.createWritable());
      handles.set(file.name, handle);
      dataTransfer.items.add(await handle.getFile());
    }
    (DataTransferItem.prototype as any).getAsFileSystemHandle = async function (this: DataTransferItem) {
      return handles.get(this.getAsFile()!.name);
    };
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  });
}

/**
 * Answers for the person when the page asks whether it may read the file of a handle.
 * Nobody can click in the browser's own question here; so this stands in for it, and,
 * as the browser does, hears only a page on which the person has just done something.
 */
export async function allowReading(page: Page, path: string) {
  await withFiles(page, [path], ([file]) => {
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

/** Lets the page do something with files of the disk. */
async function withFiles(page: Page, paths: string[], act: (files: File[]) => unknown) {
  const input = await page.evaluateHandle(() =>
    Object.assign(document.createElement('input'), { type: 'file', multiple: true }));
  await input.setInputFiles(paths);
  await page.evaluate(([input, act]) => (0, eval)(`(${act})`)([...input.files!]), [input, String(act)] as const);
  await input.dispose();
}
