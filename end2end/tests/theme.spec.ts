import type { Page } from '@playwright/test';
import { comeToLife } from '../support/life';
import { expect, test } from '../support/test';

const html = (page: Page) => page.locator('html');
const ground = (page: Page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
const around = (page: Page) => page.evaluate(() => [...document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')]
  .find(({ media }) => !media || matchMedia(media).matches)!.content);

test('the theme follows the system until one is chosen, which holds from the first byte', async ({ page, request }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto('/files');
  await comeToLife(page);
  const [light, lightAround] = [await ground(page), await around(page)];
  await page.emulateMedia({ colorScheme: 'dark' });
  const [dark, darkAround] = [await ground(page), await around(page)];
  expect(dark).not.toBe(light);
  expect(darkAround).not.toBe(lightAround);

  const choice = page.getByLabel('Theme');
  await choice.selectOption('Light');
  expect([await ground(page), await around(page)]).toEqual([light, lightAround]);
  // From the first byte: before any script or style is there.
  await page.route(/\.(js|wasm|css)$/, (route) => route.abort());
  await page.goto('/');
  await expect(html(page)).toHaveAttribute('data-theme', 'light');
  expect(await around(page)).toBe(lightAround);
  await page.unroute(/\.(js|wasm|css)$/);
  await page.goto('/live');
  expect(await ground(page)).toBe(light);
  await comeToLife(page);
  await expect(choice).toHaveValue('light');
  await choice.selectOption('System');
  expect([await ground(page), await around(page)]).toEqual([dark, darkAround]);
  const fresh = await (await request.get('/')).text();
  expect(fresh).toContain('data-theme="system"');
});

test.describe('where JavaScript is off', () => {
  test.use({ javaScriptEnabled: false });

  test('the theme is chosen by a form that leads back', async ({ page }) => {
    await page.goto('/files?order=asc');
    await page.getByLabel('Theme').selectOption('dark');
    await page.getByRole('button', { name: 'Change' }).click();
    await expect(page).toHaveURL('/files?order=asc');
    await expect(html(page)).toHaveAttribute('data-theme', 'dark');
  });
});

test('nobody is led to another site by it', async ({ request }) => {
  for (const back of ['https://evil.example', '//evil.example', '/\\evil.example']) {
    const answer = await request.post('/choices', { form: { theme: 'dark', back }, maxRedirects: 0 });
    expect([answer.status(), answer.headers().location]).toEqual([303, '/']);
    expect(answer.headers()['set-cookie']).toContain('theme=dark');
  }
});
