// The checks of `conformance/page`, in a browser. Prints one line per check.
'use strict';
const path = require('node:path');
const { chromium } = require('playwright-core');

const [run, ...urls] = process.argv.slice(2);
const tokens = process.env.TOKENS.split(',').filter(Boolean);
let held = 0;
let all = 0;

function check(name, problems) {
  const wrong = [].concat(problems).filter(Boolean);
  all += 1;
  if (wrong.length === 0) held += 1;
  console.log(`${wrong.length === 0 ? 'ok' : 'FAILED'} page: ${name}`);
  for (const one of wrong.slice(0, 10)) console.log(`      ${one}`);
}

// Runs in the page: returns all visible texts with size and contrast.
function texts() {
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => ({
    r: top.r * top.a + under.r * (1 - top.a),
    g: top.g * top.a + under.g * (1 - top.a),
    b: top.b * top.a + under.b * (1 - top.a),
    a: 1,
  });
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    // The default background of the colour scheme.
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    return layers.reverse().reduce((under, top) => over(top, under), dark ? parse('rgb(18, 18, 18)') : parse('rgb(255, 255, 255)'));
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    const style = getComputedStyle(element);
    const behind = ground(element);
    const [high, low] = [light(over(parse(style.color), behind)), light(behind)].sort((x, y) => y - x);
    found.push({ text: text.slice(0, 40), size: parseFloat(style.fontSize), contrast: (high + 0.05) / (low + 0.05) });
  }
  return found;
}

// Runs in the page: returns elements that are wider than the window.
function overflowing() {
  const width = window.innerWidth;
  const problems = [];
  if (document.scrollingElement.scrollWidth > width) problems.push(`${document.scrollingElement.scrollWidth} px of ${width}`);
  for (const element of document.body.querySelectorAll('*')) {
    const box = element.getBoundingClientRect();
    if (box.width > 0 && (box.right > width + 0.5 || box.left < -0.5)) problems.push(`${element.tagName}: ${element.textContent.slice(0, 40)}`);
  }
  return problems;
}

async function main() {
  const context = await chromium.launchPersistentContext(path.join(run, 'profile'), {
    executablePath: process.env.CHROMIUM,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    viewport: { width: 360, height: 740 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  });
  const page = context.pages()[0] || (await context.newPage());
  const errors = [];
  const asked = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('dialog', (dialog) => {
    errors.push(`dialog ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('request', (request) => asked.push(request.url()));

  const url = urls[0];
  const before = await (await fetch(`${url}/?format=json`)).json();
  await page.emulateMedia({ colorScheme: 'light' });
  const reply = await page.goto(`${url}/`);
  check('the page is served with safe headers and not cached', [
    reply.status() !== 200 && `status ${reply.status()}`,
    reply.headers()['cache-control'] !== 'no-store' && 'cache-control',
    !/default-src 'none'/.test(reply.headers()['content-security-policy'] || '') && 'content-security-policy',
  ]);
  for (const width of [320, 360, 390, 768, 1280]) {
    await page.setViewportSize({ width, height: 740 });
    check(`nothing is wider than ${width} px`, await page.evaluate(overflowing));
  }
  await page.setViewportSize({ width: 360, height: 740 });

  const rows = await page.$$eval('tbody tr', (found) => found.map((row) => row.innerText));
  const visible = await page.evaluate(() => document.body.innerText);
  for (const platform of before.platforms) {
    const missing = platform.resources.filter((one) =>
      !rows.some((row) => row.includes(one.name) && row.includes(one.state) && (!one.address || row.includes(one.address))));
    check(`${platform.platform}: ${platform.resources.length} resources, each with state and address`, [
      platform.resources.length === 0 && 'no resources',
      !visible.includes(platform.base_url) && `${platform.base_url} is missing`,
      ...missing.map((one) => `${one.name} ${one.state}`),
    ]);
  }
  const states = before.platforms.flatMap((platform) => platform.resources.map((one) => one.state)).join(' ');
  check('a failed resource is shown', !/failed/.test(states) && states);
  check(`${before.faults.length} faults, each with its counters`, before.faults.map((one) =>
    !rows.some((row) => row.includes(one.fault) && row.includes(`${one.applied} of ${one.matched}`)) && one.fault));
  const shown = rows.slice(-before.requests.length);
  check(`${before.requests.length} requests, newest first`, before.requests.map((one, index) => {
    const row = shown[index] || '';
    const right = [one.platform, one.method, one.path, String(one.status), one.operation || 'unknown operation', ...one.problems]
      .every((part) => row.includes(part));
    return !right && `${one.number} ${one.path}: ${row}`;
  }).concat(before.requests.some((one, index, list) => index > 0 && one.number >= list[index - 1].number) && 'order'));
  check('violations of a request are shown', !before.requests.some((one) => one.problems.length > 0) && 'no problem shown');

  const pages = [];
  for (const one of urls) pages.push(await (await fetch(`${one}/`)).text(), await (await fetch(`${one}/?format=json`)).text());
  check(`none of ${tokens.length} credentials is on the page`, [
    tokens.length < 4 && 'too few credentials to search for',
    ...tokens.map((token) => (pages.concat(visible).some((text) => text.includes(token)) ? `${token.slice(0, 4)}...` : '')),
  ]);

  check('headings, tables and language are accessible', await page.evaluate(() => {
    const count = (what) => document.querySelectorAll(what).length;
    const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.tagName[1]));
    return [
      document.documentElement.lang !== 'en' && 'lang',
      !document.title && 'title',
      !/width=device-width/.test(document.querySelector('meta[name=viewport]')?.content || '') && 'viewport',
      count('h1') !== 1 && 'h1',
      count('main') !== 1 && 'main',
      levels.some((level, index) => index > 0 && level > levels[index - 1] + 1) && `levels ${levels}`,
      [...document.querySelectorAll('table')].some((table) => !table.querySelector('thead th[scope=col]')) && 'a table without a head',
      [...document.querySelectorAll('tbody tr')].some((row) => !row.querySelector('th[scope=row]')) && 'a row without a name',
      count('script, iframe, object, form') > 0 && 'active content',
    ];
  }));
  check('links are at least 32 px high, for touch screens', await page.$$eval('a', (links) => links.map((link) => {
    const box = link.getBoundingClientRect();
    return box.height < 32 && `${link.textContent}: ${box.height} px`;
  })));

  const grounds = [];
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    const found = await page.evaluate(texts);
    grounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
    const smallest = Math.min(...found.map((one) => one.size));
    const faintest = Math.min(...found.map((one) => one.contrast));
    check(`${scheme}: ${found.length} texts have at least 14 px (smallest: ${smallest} px)`, found.filter((one) => one.size < 14).map((one) => `${one.size} px: ${one.text}`));
    check(`${scheme}: the contrast is at least 4.5 (lowest: ${faintest.toFixed(2)})`, found.filter((one) => one.contrast < 4.5).map((one) => `${one.contrast.toFixed(2)}: ${one.text}`));
    await page.screenshot({ path: path.join(run, `${scheme}.png`), fullPage: true });
  }
  check('the colour schemes differ', grounds[0] === grounds[1] && grounds[0]);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.screenshot({ path: path.join(run, 'wide.png'), fullPage: true });

  await page.setViewportSize({ width: 360, height: 740 });
  await page.click('text=Refresh every 2 s');
  const first = await page.textContent('header time');
  const again = await page.waitForFunction((seen) => document.querySelector('header time')?.textContent !== seen, first, { timeout: 8000 }).then(() => true, () => false);
  check('the page refreshes after a click', [!again && 'the clock did not change', !(await page.$('text=Stop refreshing')) && 'refreshing cannot be stopped']);

  const after = await (await fetch(`${url}/?format=json`)).json();
  check('viewing the page is not recorded', JSON.stringify(after.requests) !== JSON.stringify(before.requests) && 'requests were added');
  check('no browser errors', errors);
  check('no external requests', asked.filter((one) => !one.startsWith(`${url}/`) && one !== 'data:,'));
  await context.close();
  console.log(`${held} of ${all} page checks hold`);
  process.exitCode = held === all ? 0 : 1;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
