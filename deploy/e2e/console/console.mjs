// What people do with the console, in Chromium; console_test.go starts what it needs.
import { chromium } from 'playwright-core';
import axe from 'axe-core';
import { mkdirSync } from 'node:fs';
import assert from 'node:assert/strict';

const { API, ADMIN, UPSTREAM, API_KEY, ADMIN_TOKEN, VIEWER, OPERATOR, SHOTS } = process.env;
const hostile = '"><img src=x onerror=window.hacked=1><script>window.hacked=1</script>';
const started = Date.now();
mkdirSync(SHOTS, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });

// open returns a page of its own session; what is wrong in it fails the test.
async function open() {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', timezoneId: 'UTC' });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.trouble = [];
  page.bytes = 0;
  page.on('pageerror', (err) => page.trouble.push('uncaught: ' + err.message));
  page.on('console', (m) => { if (/Content Security Policy|Trusted Type/i.test(m.text())) page.trouble.push(m.text()); });
  page.on('dialog', (d) => { page.trouble.push('a dialog: ' + d.message()); d.dismiss(); });
  page.on('request', (r) => { if (!r.url().startsWith(ADMIN + '/') && !r.url().startsWith('data:')) page.trouble.push('a request to ' + r.url()); });
  page.on('requestfinished', async (r) => {
    const sizes = await r.sizes().catch(() => ({ responseBodySize: 0, responseHeadersSize: 0 }));
    page.bytes += sizes.responseBodySize + sizes.responseHeadersSize;
  });
  return page;
}

async function fine(page) {
  assert.equal(await page.evaluate(() => window.hacked), undefined, 'foreign code ran');
  assert.deepEqual(page.trouble, []);
}

async function step(name, f) {
  const from = Date.now();
  try {
    await f();
  } catch (err) {
    for (const [i, page] of browser.contexts().flatMap((c) => c.pages()).entries()) await page.screenshot({ path: `${SHOTS}/failed-${i}.png`, fullPage: true }).catch(() => {});
    console.log(`FAILED ${name}\n${err.stack}`);
    process.exit(1);
  }
  console.log(`${((Date.now() - from) / 1000).toFixed(1)} s  ${name}`);
}

async function until(what, f, limit = 20_000) {
  for (const end = Date.now() + limit; ;) {
    const got = await f();
    if (got) return got;
    if (Date.now() > end) throw new Error('never came true: ' + what);
    await new Promise((done) => setTimeout(done, 250));
  }
}

const ask = (model, key = API_KEY) => fetch(API + '/v1/chat/completions', {
  method: 'POST', headers: { Authorization: 'Bearer ' + key, 'Content-Type': 'application/json', 'User-Agent': 'agent ' + hostile, 'X-Title': 'title ' + hostile },
  body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi ' + hostile }] }),
});

const admin = async (method, path, body) => (await fetch(ADMIN + path, { method, headers: { Authorization: 'Bearer ' + ADMIN_TOKEN, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) })).json();

async function signIn(page, token) {
  await page.goto(ADMIN + '/console/');
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}

const to = (page, name) => page.getByRole('navigation').getByRole('link', { name }).click();

// real is how many requests an endpoint has had, as the routing page shows it.
async function real(page, endpoint) {
  const text = await page.locator(`[data-endpoint="${endpoint}"] .real small`).first().textContent();
  return Number((text.match(/^([\d,]+)/) || ['', '0'])[1].replaceAll(',', ''));
}

const page = await open();

await step('a wrong token is refused', async () => {
  await page.goto(ADMIN + '/console/');
  await page.getByLabel('Token').fill('not-a-token');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').filter({ hasText: /invalid/ }).waitFor();
});

await step('sign in; the first page is small and complete', async () => {
  await until('requests are in the log', async () => (await admin('GET', '/admin/logs?model=chat')).length > 20);
  await signIn(page, ADMIN_TOKEN);
  await page.locator('.tile .value').first().waitFor();
  await page.locator('.chart canvas').first().waitFor();
  await page.getByText('All is well.').waitFor();
  console.log(`    ${page.bytes} bytes transferred`);
  assert.ok(page.bytes > 20_000 && page.bytes < 200_000, `${page.bytes} bytes`);
  const cookies = await page.context().cookies();
  assert.ok(cookies.length === 2 && cookies.every((c) => c.httpOnly && c.sameSite === 'Strict'), JSON.stringify(cookies));
  assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);
  await fine(page);
});

await step('other sites can neither frame it nor use its session', async () => {
  const headers = (await fetch(ADMIN + '/console/')).headers;
  assert.match(headers.get('content-security-policy'), /frame-ancestors 'none'/);
  const { value } = (await page.context().cookies())[0];
  const name = (await page.context().cookies())[0].name;
  const forged = await fetch(ADMIN + '/admin/weights', { method: 'PUT', headers: { Cookie: `${name}=${value}`, 'Content-Type': 'text/plain', Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }, body: '{"model":"chat","weights":{"b":0}}' });
  assert.equal(forged.status, 403);
});

await step('by keyboard: skip to the content, go to another page', async () => {
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.getByRole('link', { name: 'Routing' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Routing' }).waitFor();
});

await step('the last hour, by provider', async () => {
  await to(page, 'Overview');
  await page.getByRole('button', { name: 'Last hour' }).click();
  await page.getByRole('button', { name: 'By provider' }).click();
  await page.locator('.legend').getByText('vLLM').first().waitFor();
});

await step('an endpoint fails, and the overview says so without a reload', async () => {
  await fetch(UPSTREAM + '/fail/b');
  await page.getByText('One thing needs attention').waitFor();
  await page.getByRole('listitem').filter({ hasText: 'chat:b is down' }).waitFor();
  await fine(page);
});

let failedID = '';

await step('the failed request is found by the id that its client saw', async () => {
  await fetch(UPSTREAM + '/fail/only');
  const answer = await ask('single');
  assert.ok(answer.status >= 500, 'status ' + answer.status);
  failedID = answer.headers.get('x-request-id');
  await until('it is in the log', async () => (await admin('GET', '/admin/logs?id=' + failedID)).length === 1);
  await to(page, 'Requests');
  await page.getByLabel('Any id').fill(failedID);
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('heading', { name: /^single/ }).waitFor();
  await page.locator('.notice.bad').filter({ hasText: 'out of memory ' + hostile }).waitFor();
  await page.locator('.attempts').getByText('single:only').first().waitFor();
  for (const text of ['agent ' + hostile, 'title ' + hostile, 'key ' + hostile]) await page.getByText(text).first().waitFor();
  await page.getByRole('button', { name: /^Explain/ }).click();
  await page.getByText('A request like this now').waitFor();
  await fetch(UPSTREAM + '/mend/only');
  await fine(page);
});

await step('its traffic is moved away, and real traffic follows', async () => {
  await to(page, 'Routing');
  const chat = page.locator('.model').filter({ has: page.getByRole('heading', { name: 'chat', exact: true }) });
  await chat.getByText('down', { exact: true }).waitFor();
  await chat.getByText('Chat ' + hostile).waitFor();
  await fetch(UPSTREAM + '/mend/b');
  await until('b is back', async () => (await chat.locator('[data-endpoint="chat:b"] .badge').textContent()) === 'up');
  const before = await until('b has traffic again', async () => await real(page, 'chat:b') > 0 && real(page, 'chat:b'));
  assert.ok(before > 0);
  await chat.getByRole('button', { name: 'Move traffic' }).click();
  await page.getByRole('button', { name: 'Take all traffic from chat:b' }).click();
  await page.locator('.preview li').filter({ hasText: 'chat:b' }).waitFor();
  await page.getByLabel('Reason').fill('it fails ' + hostile);
  await page.screenshot({ path: SHOTS + '/move-traffic-1440-light.png' });
  await page.getByRole('dialog').getByRole('button', { name: 'Move traffic' }).click();
  await page.getByText(/done by 1 node in release \d+/).waitFor();
  await until('the weight is 0', async () => /^0%/.test(await chat.locator('[data-endpoint="chat:b"] .weight').textContent()));
  let at = await real(page, 'chat:b');
  await until('b gets nothing more', async () => { // what was under way comes to the log for a moment
    const a = await real(page, 'chat:a');
    await until('a goes on', async () => await real(page, 'chat:a') > a);
    const was = at;
    at = await real(page, 'chat:b');
    return was === at;
  }, 30_000);
  await fine(page);
});

await step('undo, and it gets traffic again', async () => {
  const before = await real(page, 'chat:b');
  await page.getByRole('button', { name: 'Undo' }).click();
  await until('the weight is back', async () => /^40%/.test(await page.locator('[data-endpoint="chat:b"] .weight').textContent()));
  await until('real traffic follows', async () => await real(page, 'chat:b') > before);
  const audit = await admin('GET', '/admin/audit?limit=10');
  assert.ok(audit.some((e) => e.action === 'weights.set' && e.reason === 'it fails ' + hostile) && audit.some((e) => /^undo of release/.test(e.reason)), JSON.stringify(audit));
});

await step('a key is made with a budget and uses it up; its refused request says why', async () => {
  await to(page, 'Keys');
  await page.getByRole('button', { name: 'New key' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Name', { exact: true }).fill('small ' + hostile);
  await form.locator('select[name=role]').selectOption('pro');
  await form.getByRole('button', { name: 'Add a limit' }).click();
  await form.getByLabel('Kind').selectOption('budget');
  await form.getByLabel('Value').fill('0.002');
  await form.getByLabel('Period').selectOption('day');
  await form.getByRole('button', { name: 'Create key' }).click();
  const made = { key: await page.getByLabel('Secret').inputValue() };
  await page.getByRole('button', { name: 'I have stored it' }).click();
  await page.getByRole('heading', { name: 'small ' + hostile }).first().waitFor();
  made.id = decodeURIComponent(new URL(page.url()).hash.replace('#/keys/', ''));
  const refused = await until('it is refused', async () => { const r = await ask('chat', made.key); return r.status === 402 && r; });
  const id = refused.headers.get('x-request-id');
  await until('it is in the log', async () => (await admin('GET', '/admin/logs?id=' + id)).length === 1);
  await to(page, 'Requests');
  await page.getByLabel('Any id').fill(id);
  await page.getByRole('button', { name: 'Search' }).click();
  await page.locator('.notice.bad').filter({ hasText: /budget/i }).waitFor();
  await page.getByText(made.id).first().waitFor();
});

await step('the log is filtered, paged and followed; content is shown as text', async () => {
  await page.goto(ADMIN + '/console/#/requests?since=1h&errors=true');
  await page.getByRole('row').filter({ hasText: 'out of memory' }).first().waitFor();
  await page.goto(ADMIN + '/console/#/requests?model=chat');
  await page.getByRole('button', { name: 'Show older requests' }).click();
  await until('a second page', async () => await page.locator('tbody tr').count() > 50);
  const first = await page.locator('tbody tr a').first().getAttribute('href');
  await page.getByRole('button', { name: 'Follow live' }).click();
  await until('new rows come by themselves', async () => (await page.locator('tbody tr a').first().getAttribute('href')) !== first);
  await page.locator('tbody tr').filter({ hasText: '200' }).last().click();
  await page.getByRole('button', { name: 'Show prompt and answer' }).click();
  await page.locator('pre').filter({ hasText: 'Hello ' + hostile }).waitFor();
  await fine(page);
});

await step('a viewer changes nothing, and hears which role it takes', async () => {
  const viewer = await open();
  await signIn(viewer, VIEWER);
  await viewer.getByText('vera').waitFor();
  await to(viewer, 'Routing');
  const move = viewer.getByRole('button', { name: 'Move traffic' }).first();
  await move.waitFor();
  assert.ok(await move.isDisabled() && /operator/.test(await move.getAttribute('title')));
  const denied = await viewer.evaluate(async () => {
    const r = await fetch('/admin/weights', { method: 'PUT', headers: { 'Content-Type': 'application/json', 'X-Gateway-Console': '1' }, body: '{"model":"chat","weights":{"b":0}}' });
    return [r.status, (await r.json()).error.message];
  });
  assert.equal(denied[0], 403);
  assert.match(denied[1], /needs the role operator; vera has the role viewer/);
  await fine(viewer);
  await viewer.context().close();
});

await step('an operator moves traffic, in their own name, but reads no content', async () => {
  const operator = await open();
  await signIn(operator, OPERATOR);
  await to(operator, 'Routing');
  await operator.locator('[data-endpoint="chat:b"]').getByRole('button', { name: 'Disable' }).click();
  await operator.locator('[data-endpoint="chat:b"]').getByText('disabled').waitFor();
  await operator.locator('[data-endpoint="chat:b"]').getByRole('button', { name: 'Enable' }).click();
  await until('it is enabled', async () => (await operator.locator('[data-endpoint="chat:b"] .badge').textContent()) === 'up');
  const audit = await admin('GET', '/admin/audit?limit=5');
  assert.ok(audit.some((e) => e.author === 'otto' && e.action === 'endpoints.disable'), JSON.stringify(audit));
  await operator.goto(ADMIN + '/console/#/requests/' + failedID);
  assert.ok(await operator.getByRole('button', { name: 'Show prompt and answer' }).isDisabled());
  await operator.getByRole('button', { name: 'Sign out' }).click();
  await operator.getByLabel('Token').waitFor();
  assert.equal((await operator.context().cookies()).length, 0);
  await operator.goto(ADMIN + '/console/#/routing');
  await operator.getByLabel('Token').waitFor();
  await operator.context().close();
});

await step('a release is rolled back, and its weights are in service again', async () => {
  const [{ release }] = await admin('GET', '/admin/releases?limit=1');
  await admin('PUT', '/admin/weights', { model: 'chat', weights: { a: 1, b: 0 }, reason: 'by mistake' });
  await page.goto(`${ADMIN}/console/#/releases/${release}`);
  await page.getByText('What returning to it would change').waitFor();
  await page.getByRole('button', { name: 'Roll back to this' }).click();
  const form = page.getByRole('dialog');
  await form.locator('.changes li').filter({ hasText: 'chat:b' }).waitFor();
  await form.getByLabel('Reason').fill('it was a mistake');
  await form.getByRole('button', { name: 'Roll back', exact: true }).click();
  await page.getByText('1 of 1 nodes serve it').waitFor();
  await page.getByRole('heading', { name: /^Release \d+ current/ }).waitFor();
  await page.getByText('applied', { exact: true }).waitFor();
  const { routes } = await admin('GET', '/admin/routing');
  assert.deepEqual(routes.chat.map((e) => e.weight), ['60%', '40%']);
  await fine(page);
});

await step('the playground streams an answer, with its route and its price', async () => {
  await to(page, 'Try out');
  await page.getByLabel('Model').fill('chat');
  await page.getByLabel('Prompt', { exact: true }).fill('Hi ' + hostile);
  await page.getByRole('button', { name: 'Use a key that expires in an hour' }).click();
  await until('a key is filled in', async () => (await page.locator('input[name=key]').inputValue()).startsWith('hyi-'));
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.answer').getByText('Hello ' + hostile).waitFor();
  const way = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Route and price' }) });
  await way.getByText(/chat:[ab]/).waitFor();
  await way.getByText('400 in, 100 out').waitFor();
  await way.getByText('$0.00060').waitFor();
  await fine(page);
});

await step('a session that an admin revokes ends in its browser, too', async () => {
  const lost = await open();
  await signIn(lost, VIEWER);
  const sessions = await admin('GET', '/admin/sessions');
  assert.ok(sessions.some((s) => s.name === 'vera' && s.method === 'operator'), JSON.stringify(sessions));
  await admin('DELETE', '/admin/sessions/vera', { reason: 'lost a laptop' });
  await to(lost, 'Routing');
  await lost.getByText('Your session is over. Sign in again.').waitFor();
  assert.equal((await lost.context().cookies()).length, 0);
  await fine(lost);
  await lost.context().close();
});

// Every page as it looks, in both widths and schemes, without anything that axe calls serious.
const rows = () => page.locator('tbody tr').first().waitFor();
const ready = {
  overview: () => page.locator('.chart canvas').first().waitFor(), routing: () => page.locator('.model .real').first().waitFor(),
  requests: rows, request: () => page.locator('.attempts').waitFor(),
  keys: rows, teams: () => page.locator('main .card').first().waitFor(), releases: rows, ledger: rows, audit: rows, playground: () => page.locator('textarea').first().waitFor(),
};
const views = { overview: 'overview?since=1h', routing: 'routing', requests: 'requests?errors=true', request: 'requests/' + failedID,
  keys: 'keys', teams: 'keys/teams', releases: 'releases', ledger: 'releases/ledger', audit: 'releases/audit', playground: 'playground' };

await step('every page is accessible, wide and narrow, light and dark', async () => {
  const cdp = await page.context().newCDPSession(page);
  for (const [name, path] of Object.entries(views)) {
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.emulateMedia({ colorScheme: 'light' });
    await page.goto(`${ADMIN}/console/#/${path}`);
    await page.locator('main .card').first().waitFor();
    await ready[name]();
    await cdp.send('Runtime.evaluate', { expression: axe.source }); // past the page's policy
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: `${SHOTS}/${name}-${width}-${colorScheme}.png` });
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} scrolls sideways at ${width}`);
        if ((width === 390) !== (colorScheme === 'dark')) continue; // both are seen once
        const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }));
        const serious = violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(', ')}`);
        assert.deepEqual(serious, [], `${name} at ${width}, ${colorScheme}`);
      }
    }
  }
  await fine(page);
});

await browser.close();
console.log(`${((Date.now() - started) / 1000).toFixed(1)} s in all`);
