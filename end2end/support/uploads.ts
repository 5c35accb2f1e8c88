import { type Locator, type Page, expect } from '@playwright/test';

export type State =
  | 'queued' | 'sending' | 'paused' | 'waiting' | 'verifying' | 'stored' | 'failed' | 'needs-file';

/** How long a file may take to arrive on a busy machine. */
const ARRIVES = { timeout: 90_000 };

/** The page of uploads, as a person sees it. */
export class Uploads {
  readonly list: Locator;
  readonly totals: Locator;

  constructor(readonly page: Page) {
    this.list = page.getByRole('list', { name: 'Uploads' });
    this.totals = page.getByRole('region', { name: 'All uploads' });
  }

  /** Picks files with the first button. */
  async pick(files: Parameters<Locator['setInputFiles']>[0]) {
    await this.page.getByLabel('Choose files').setInputFiles(files);
  }

  /** Picks a folder with the second button. */
  async pickFolder(folder: string) {
    await this.page.getByLabel('Choose a folder').setInputFiles(folder);
  }

  /** Gives an upload its file again. */
  async pickAgain(name: string, file: string) {
    await this.row(name).getByLabel(`Pick ${name} again`).setInputFiles(file);
  }

  /** All rows, or those in one state. */
  rows(state?: State): Locator {
    const rows = this.list.getByRole('listitem').and(this.page.locator('[data-name]'));
    return state ? rows.and(this.page.locator(`[data-state=${state}]`)) : rows;
  }

  /** The row of a file. */
  row(name: string): Locator {
    return this.rows().and(this.page.locator(`[data-name=${JSON.stringify(name)}]`));
  }

  /** A folder in the list. */
  folder(name: string): Locator {
    return this.list.getByRole('listitem').and(this.page.locator(`[data-folder=${JSON.stringify(name)}]`));
  }

  bar(name: string): Locator {
    return this.row(name).getByRole('progressbar');
  }

  /** A button of a row. */
  button(name: string, verb: string): Locator {
    return this.row(name).getByRole('button', { name: `${verb} ${name}`, exact: true });
  }

  /** Opens the menu of a row, and chooses something. */
  async choose(name: string, words: string) {
    await this.row(name).locator('summary').click();
    await this.row(name).getByRole('button', { name: words, exact: true }).click();
  }

  /** The names of the rows on the page, in order. */
  names(): Promise<string[]> {
    return this.rows().evaluateAll((rows) => rows.map((row) => row.getAttribute('data-name')!));
  }

  /** How much of a file is durable, in per cent. */
  async percent(name: string): Promise<number> {
    return Number(await this.bar(name).getAttribute('aria-valuenow'));
  }

  /** Waits until so much of a file is durable. */
  async reaches(name: string, percent: number) {
    await expect
      .poll(() => this.percent(name), { intervals: [20], timeout: ARRIVES.timeout })
      .toBeGreaterThanOrEqual(percent);
  }

  async expectState(name: string, state: State) {
    await expect(this.row(name)).toHaveAttribute('data-state', state, ARRIVES);
  }

  /** Waits until a file has arrived. */
  async arrives(name: string) {
    await this.expectState(name, 'stored');
  }

  /** Waits until so many files have arrived. */
  async arrived(count: number) {
    await expect(this.list).toHaveAttribute('data-stored', String(count), ARRIVES);
  }

  /** The name of an upload in links, once it has one. */
  async id(name: string): Promise<string> {
    const link = this.row(name).getByRole('link', { name: `Open ${name}`, exact: true });
    return (await link.getAttribute('href', ARRIVES))!.replace('/f/', '');
  }

  /** The indicator of the connection. */
  get connection(): Locator {
    return this.page.locator('[data-connection]');
  }

  async expectConnection(state: string) {
    await expect(this.connection).toHaveAttribute('data-connection', state, { timeout: 30_000 });
  }

  /** The words about the connection that the page shows from now on, in order. */
  watchWords() {
    return this.watch(this.connection.locator('.connection-words'));
  }

  /** The states of the connection that the page shows from now on, in order. */
  watchConnection() {
    return this.watch(this.connection, 'data-connection');
  }

  /** What an attribute of an element is from now on, or its text, in order. */
  private async watch(element: Locator, attribute?: string): Promise<() => Promise<string[]>> {
    const seen = await element.evaluateHandle((element, attribute) => {
      const now = () => (attribute ? element.getAttribute(attribute) : element.textContent)!;
      const seen = [now()];
      new MutationObserver(() => seen.push(now())).observe(element, attribute
        ? { attributes: true, attributeFilter: [attribute] }
        : { characterData: true, childList: true, subtree: true });
      return seen;
    }, attribute);
    return () => seen.jsonValue();
  }
}
