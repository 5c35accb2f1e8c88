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

  /** Opens the panel behind a button of a row, `Delete` or `Rename`. */
  async ask(verb: string, name: string): Promise<Locator> {
    const panel = this.row(name).locator('details').filter({ has: this.page.locator(`[aria-label=${JSON.stringify(`${verb} ${name}`)}]`) });
    await panel.locator('summary').click();
    return panel;
  }
}
