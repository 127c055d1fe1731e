// Takes the two pictures of the README from a running gateway with some traffic on it:
// node screenshots.mjs http://127.0.0.1:8081 ../../../docs/images (ADMIN_TOKEN if it has one)
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [, , admin = 'http://127.0.0.1:8081', out = '../../../docs/images'] = process.argv;
mkdirSync(out, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1200, height: 720 }, colorScheme: 'light' });
await page.goto(`${admin}/console/`);
if (process.env.ADMIN_TOKEN) {
  await page.getByLabel('Token').fill(process.env.ADMIN_TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
for (const [name, path, there] of [['overview', 'overview?since=1h', '.chart canvas'], ['routing', 'routing', '.model .real']]) {
  await page.goto(`${admin}/console/#/${path}`);
  await page.locator(there).first().waitFor();
  await page.waitForTimeout(1500); // the charts are drawn, the figures counted up
  await page.screenshot({ path: `${out}/console-${name}.png` });
}
await browser.close();
