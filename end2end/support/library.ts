import { type Locator, type Page, expect } from '@playwright/test';

/** The page of files that arrived. */
export class Library {
  readonly table: Locator;

  constructor(readonly page: Page) {
    this.table = page.getByRole('table', { name: 'Files' });
  }

  /** The row of a file. */
  row(name: string): Locator {
    return this.table.getByRole('row').and(this.page.locator(`[data-name=${JSON.stringify(name)}]`));
  }

  /** The names of the files that are shown, in order. */
  async names(): Promise<string[]> {
    return this.table.locator('[data-name]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-name')!));
  }

  async expectNames(names: string[]) {
    await expect.poll(() => this.names()).toEqual(names);
  }

  /** What can be done with the chosen files. */
  get chosenBar(): Locator {
    return this.page.getByRole('form', { name: 'Chosen files' });
  }

  /** The box that chooses a file. */
  choose(name: string): Locator {
    return this.row(name).getByRole('checkbox', { name: `Choose ${name}`, exact: true });
  }

  /** What shows a file in place. */
  look(name: string): Locator {
    return this.row(name).getByRole('link', { name: `Look at ${name}`, exact: true });
  }

  /** The name of a file in links. */
  async id(name: string): Promise<string> {
    const link = this.row(name).getByRole('link', { name, exact: true });
    return (await link.getAttribute('href'))!.replace('/f/', '');
  }

  /** Waits until the page has come to life. */
  async alive() {
    await expect(this.page.locator('[data-engine]')).toHaveCount(1);
  }

  /** Opens the panel behind a button of a row, `Rename` or `Digest of`. */
  async ask(verb: string, name: string): Promise<Locator> {
    const panel = this.row(name).locator('details').filter({ has: this.page.locator(`[aria-label=${JSON.stringify(`${verb} ${name}`)}]`) });
    await panel.locator('summary').click();
    return panel;
  }
}
