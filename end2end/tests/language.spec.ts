import type { Page } from '@playwright/test';
import { comeToLife } from '../support/life';
import { expect, test } from '../support/test';

/** What the browser complains about, hydration included. */
function complaints(page: Page) {
  const all: string[] = [];
  page.on('pageerror', (error) => all.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) all.push(message.text());
  });
  return all;
}

const html = (page: Page) => page.locator('html');

test('the server speaks the language that the browser asks for, and says so', async ({ request }) => {
  for (const [accepts, lang, words] of [
    ['zh-CN,zh;q=0.9,en;q=0.8', 'zh-CN', '把文件拖放到任意位置'],
    ['zh-TW,zh;q=0.9', 'zh-CN', '把文件拖放到任意位置'],
    ['en-GB,zh;q=0.5', 'en', 'Drop files anywhere'],
    ['de', 'en', 'Drop files anywhere'],
  ] as const) {
    const answer = await request.get('/', { headers: { 'Accept-Language': accepts } });
    const headers = answer.headers();
    expect(headers['content-language'], accepts).toBe(lang);
    expect(headers.vary, accepts).toMatch(/cookie, accept-language/);
    const text = await answer.text();
    expect(text).toContain(`<html lang="${lang}"`);
    expect(text).toContain(words);
  }
  const nowhere = await request.get('/nowhere', { headers: { 'Accept-Language': 'zh' } });
  expect(nowhere.status()).toBe(404);
  expect(await nowhere.text()).toContain('这里什么也没有');
});

test.describe('a reader of Chinese', () => {
  test.use({ locale: 'zh-CN' });

  test('has every page in Chinese, and it comes to life without a complaint', async ({ page, files }) => {
    const heard = complaints(page);
    await page.goto('/');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(/把文件拖放到任意位置/);
    await comeToLife(page);
    await page.getByLabel('选择文件', { exact: true }).setInputFiles(await files.text('笔记.txt', 'words'));
    const row = page.locator('[role=listitem][data-name="笔记.txt"]');
    await expect(row).toHaveAttribute('data-state', 'stored');
    await expect(row).toContainText('已存储并校验');
    await expect(page.getByRole('region', { name: '全部上传' })).toContainText('1 个文件已存储并校验');
    const id = (await row.getByRole('link', { name: '打开 笔记.txt' }).getAttribute('href'))!;
    for (const [path, heading, title] of [
      ['/files', '文件', '文件 · Longhaul'],
      ['/live', '实时', '实时 · Longhaul'],
      [id, '笔记.txt', '笔记.txt · Longhaul'],
    ]) {
      await page.goto(path);
      await comeToLife(page);
      await expect(html(page)).toHaveAttribute('lang', 'zh-CN');
      await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
      await expect(page).toHaveTitle(title);
      expect(await englishIn(page), path).toEqual([]);
    }
    await expect(page.locator('time').first()).toContainText(/\d{4}年\d+月\d+日/);
    expect(heard).toEqual([]);
  });
});

test('the switch turns the whole page at once, and what was chosen stays', async ({ page, uploads, files }) => {
  const heard = complaints(page);
  await page.goto('/');
  await comeToLife(page);
  await uploads.pick(await files.text('notes.txt', 'words'));
  await uploads.arrives('notes.txt');
  await page.evaluate(() => ((window as any).same = true));

  const chinese = page.getByRole('combobox', { name: '语言' });
  const english = page.getByRole('combobox', { name: 'Language' });
  await english.focus();
  await english.selectOption('简体中文');
  await expect(html(page)).toHaveAttribute('lang', 'zh-CN');
  await expect(chinese).toBeFocused();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/可继续拖放文件到任意位置/);
  await expect(page.locator('[role=listitem][data-name="notes.txt"]')).toContainText('已存储并校验');
  expect(await englishIn(page)).toEqual([]);
  expect(await page.evaluate(() => (window as any).same), 'nothing is loaded anew').toBe(true);
  const pages = page.getByRole('navigation', { name: '页面' });
  await pages.getByRole('link', { name: '文件' }).click();
  await expect(page.getByRole('heading', { level: 1, name: '文件' })).toBeVisible();
  await expect(page.locator('time').first()).toContainText(/\d{4}年\d+月\d+日/);

  await page.reload();
  await comeToLife(page);
  await expect(html(page)).toHaveAttribute('lang', 'zh-CN');
  await expect(chinese).toHaveValue('zh-CN');
  await expect(page.getByRole('heading', { level: 1, name: '文件' })).toBeVisible();
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ name: 'language', value: 'zh-CN', path: '/', sameSite: 'Lax' });

  await chinese.selectOption('English');
  await expect(html(page)).toHaveAttribute('lang', 'en');
  await expect(page.getByRole('heading', { level: 1, name: 'Files' })).toBeVisible();
  expect(heard).toEqual([]);
});

test('a language that was picked before the page came to life is not lost', async ({ page }) => {
  await page.route(/\.wasm$/, async (route) => {
    await page.getByRole('combobox', { name: 'Language' }).selectOption('zh-CN');
    await route.continue();
  });
  await page.goto('/');
  await expect(html(page)).toHaveAttribute('lang', 'zh-CN');
});

test.describe('where JavaScript is off', () => {
  test.use({ javaScriptEnabled: false });

  test('the switch leads back to the same page in the other language', async ({ page }) => {
    await page.goto('/files?q=a%20b&sort=name');
    await page.getByRole('combobox', { name: 'Language' }).selectOption('简体中文');
    await page.getByRole('button', { name: 'Change' }).click();
    await expect(page).toHaveURL(/\/files\?q=a(%20|\+)b&sort=name$/);
    await expect(html(page)).toHaveAttribute('lang', 'zh-CN');
    await expect(page.getByRole('heading', { level: 1, name: '文件' })).toBeVisible();
    await page.goto('/');
    await expect(page.locator('noscript .notice')).toContainText('此浏览器已关闭 JavaScript。');
  });
});

test('a choice leads nowhere else, and none is taken from another site', async ({ request }) => {
  const choose = (form: Record<string, string>, headers = {}) =>
    request.post('/choices', { form, headers, maxRedirects: 0 });
  for (const [back, location] of [
    ['/f/a?b=c', '/f/a?b=c'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
  ]) {
    const answer = await choose({ language: 'zh-CN', back });
    expect(answer.status()).toBe(303);
    expect(answer.headers().location, back).toBe(location);
    expect(answer.headers()['set-cookie']).toMatch(/^language=zh-CN; Path=\/; .*SameSite=Lax/);
  }
  const unknown = await choose({ language: 'xx', back: '/' });
  expect(unknown.headers()['set-cookie']).toBeUndefined();
  const foreign = await choose({ language: 'zh-CN' }, { Origin: 'https://evil.example' });
  expect(foreign.status()).toBe(403);
});

/** English words that are seen or heard on a Chinese page. Names stay as they are. */
async function englishIn(page: Page): Promise<string[]> {
  return page.locator('body').evaluate((body) => {
    const found: string[] = [];
    const names = /Longhaul|English|BLAKE3|b3sum|JavaScript|\S+\.txt|\.txt|text\/plain|\b[0-9a-f]{8,}\b|\b[kMGT]?B(\/s)?\b|UTC/g;
    const look = (text: string | null) => {
      if (text && /[A-Za-z]{2,}/.test(text.replace(names, ''))) found.push(text);
    };
    for (const one of [body, ...body.querySelectorAll('*')]) {
      if (one.closest('script, style, noscript, code, pre, .file-name')) continue;
      for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-valuetext']) look(one.getAttribute(name));
      for (const child of one.childNodes) if (child.nodeType === Node.TEXT_NODE) look(child.textContent);
    }
    return found;
  });
}
