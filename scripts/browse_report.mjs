// SPDX-License-Identifier: MIT
// Looks at pages of `assay report` as a reader's browser does.  Prints TAP.
//   node browse_report.mjs TOOLS CHROMIUM PAGE CSV HOSTILE TWO      (scripts/test_report.sh)
// TOOLS: a folder with node_modules of playwright-core and axe-core.
import fs from 'fs';
import { createRequire } from 'module';
const [tools, chromium_path, page_path, csv_path, hostile_path, two_path] = process.argv.slice(2);
const require = createRequire(tools + '/');
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

let count = 0, bad = 0;
const ok = (name, is, said) => {
  count++;
  if (!is) bad = 1;
  console.log(`${is ? 'ok' : 'not ok'} ${count} - ${name}`);
  if (!is && said !== undefined) console.log(('  ' + JSON.stringify(said)).slice(0, 2000));
};

const parse = text => {
  const rows = [];
  for (const line of text.split('\n').filter(l => l && l[0] !== '#')) {
    const cells = [];
    for (let at = 0; at <= line.length;) {
      if (line[at] === '"') {
        const end = /"(,|$)/g;
        end.lastIndex = at + 1;
        let m;
        while ((m = end.exec(line)) && line[m.index - 1] === '"' && m.index > at + 1) ;
        cells.push(line.slice(at + 1, m.index).replaceAll('""', '"'));
        at = m.index + 2;
      } else {
        const end = line.indexOf(',', at) < 0 ? line.length : line.indexOf(',', at);
        cells.push(line.slice(at, end));
        at = end + 1;
      }
    }
    rows.push(cells);
  }
  const [names, ...rest] = rows;
  return rest.map(cells => Object.fromEntries(names.map((n, i) => [n, cells[i]])));
};
const close = (text, raw) => Math.abs(Number(text) - Number(raw)) <= 5.1e-4 * Math.abs(Number(raw)) + 1e-12 ||
  (Math.abs(raw) >= 1000 && Math.abs(Number(text) - Number(raw)) <= 0.5);

const browser = await chromium.launch({ executablePath: chromium_path, args: ['--no-sandbox', '--disable-gpu'] });
const open = async (path, width, scheme, more) => {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, ...more });
  const page = await context.newPage();
  page.wrong = [];
  page.on('console', m => { if (m.type() === 'error' || m.type() === 'warning') page.wrong.push(m.text()); });
  page.on('pageerror', e => page.wrong.push(e.message));
  page.on('request', r => { if (!r.url().endsWith('.html')) page.wrong.push('asks for ' + r.url()); });
  page.on('dialog', d => { page.wrong.push('dialog ' + d.message()); d.dismiss(); });
  await page.goto('file://' + path);
  return page;
};
const violations = async page => {
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  return found.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ' + n.failureSummary).join('; '));
};
const cells = page => page.$$eval('#t1 tbody tr:not(.all)', rows => rows.map(r => Object.fromEntries([['row', Number(r.dataset.r)]].concat(
  Array.from(r.cells, c => [c.dataset.l || 'point', c.dataset.l ? [c.firstChild ? c.firstChild.textContent.trim() : '', c.querySelector('small')?.textContent] : c.textContent])))));
const sideways = page => page.evaluate(() => {
  const width = document.documentElement.clientWidth, inside = e => e.closest('.scroll, svg');
  return { page: document.documentElement.scrollWidth - width, beyond: Array.from(document.body.querySelectorAll('*')).filter(
    e => !inside(e) && e.getClientRects().length && e.getBoundingClientRect().right > width + 1).map(e => e.tagName + ' ' + e.textContent.slice(0, 40)) };
});

// --- a desk, light
const rows = parse(fs.readFileSync(csv_path, 'utf8'));
const p = await open(page_path, 1400, 'light');
ok('says what was measured', /measured on/.test(await p.title()) && (await p.$$('h1')).length === 1, await p.title());
ok('begins with an answer and figures', (await p.$$('#answer .lead')).length > 0 && (await p.$$('#answer .three svg')).length > 0);
const before = await cells(p);
const recall = before.map(r => [r.row, r['recall@k']]);
ok('numbers are those of the CSV', recall.length === rows.length && recall.every(([i, v]) => close(v[0], rows[i].recall_strict)), recall);
ok('and the ends of intervals', recall.every(([i, v]) => {
  const [lo, hi] = v[1].replace(/[[\]]/g, '').split(', ');
  return close(lo, rows[i].recall_strict_lo) && close(hi, rows[i].recall_strict_hi);
}), recall);
const more = p.locator('#t1 tbody .more').first();
await more.focus();
await p.keyboard.press('Enter');
const all = Object.fromEntries(await p.$$eval('#t1 tr.all dl div', list => list.map(d => [d.firstChild.textContent, d.lastChild.textContent])));
ok('a row opens to what the CSV has, cell by cell', Object.keys(all).length > 20 && Object.entries(all).every(([k, v]) => rows[0][k] === v), all);
ok('and says that it is open', await more.getAttribute('aria-expanded') === 'true');
await p.keyboard.press('Enter');

const latency = p.locator('#t1 thead .sort', { hasText: 'latency p50' });
await latency.focus();
await p.keyboard.press('Enter');
const times = async () => (await cells(p)).map(r => Number(rows[r.row].lat_p50_us));
const up = await times();
ok('a heading sorts, by the keyboard', up.every((v, i) => !i || up[i - 1] <= v), up);
ok('and says so', await p.$eval('#t1 thead [aria-sort]', th => th.getAttribute('aria-sort')) === 'ascending');
const after = await cells(p);
ok('the script writes numbers as the program does', before.every(b => JSON.stringify(b) === JSON.stringify(after.find(a => a.row === b.row))),
  before.map(b => [b, after.find(a => a.row === b.row)]).find(([a, b]) => JSON.stringify(a) !== JSON.stringify(b)));
await p.keyboard.press('Enter');
const down = await times();
ok('once more, the other way', down.every((v, i) => !i || down[i - 1] >= v), down);

const tools_of = p.locator('.tools').first();
await tools_of.getByLabel('Find').fill('rabitq bits=2');
const found = (await cells(p)).map(r => rows[r.row].index);
ok('a text filters', found.length > 0 && found.length < rows.length && found.every(s => s.includes('rabitq') && s.includes('bits=2')), found);
ok('and the page tells how many', (await tools_of.locator('output').textContent()).startsWith(`${found.length} of ${rows.length} rows`));
await tools_of.getByRole('button', { name: 'Clear' }).click();
await tools_of.getByLabel('Column', { exact: true }).selectOption({ label: 'recall_strict' });
await tools_of.getByLabel('from', { exact: true }).fill('0.7');
await tools_of.getByLabel('to', { exact: true }).fill('0.95');
const ranged = (await cells(p)).map(r => Number(rows[r.row].recall_strict)), wanted = rows.filter(r => r.recall_strict >= 0.7 && r.recall_strict <= 0.95);
ok('a range filters', wanted.length > 0 && ranged.length === wanted.length && ranged.every(v => v >= 0.7 && v <= 0.95), ranged);
await tools_of.getByRole('button', { name: 'Clear' }).click();
await tools_of.getByRole('button', { name: 'All columns' }).click();
ok('all columns are a click away', (await p.$$('#t1 thead th')).length > 20);
await tools_of.getByRole('button', { name: 'All columns' }).click();

const id = await p.$eval('#t1 tbody tr', r => r.dataset.p);
const lit = () => p.$$eval('.mark.on', list => list.map(m => m.dataset.p));
await p.locator('#t1 tbody tr').first().hover();
const on = await lit();
ok('a row lights its points', on.length > 0 && on.every(x => x === id), [id, on]);
await p.mouse.move(0, 0);
const marks = await p.$$eval('.mark', list => list.map(m => [m.dataset.p, m.querySelector('title').textContent, m.getClientRects().length]));
const ids = new Set(await p.$$eval('tbody tr[data-p]', list => list.map(r => r.dataset.p)));
ok('each point has a tooltip and a row', marks.length > 20 && marks.every(m => ids.has(m[0]) && /recall|latency/.test(m[1])), marks.filter(m => !ids.has(m[0])));
const mark = p.locator('section .wide .mark').last();
await mark.dispatchEvent('click');
ok('a point lights its row', JSON.stringify(await p.$$eval('tr.pin', list => list.map(r => r.dataset.p))) === JSON.stringify([await mark.getAttribute('data-p')]));
await p.keyboard.press('Escape');
ok('axe finds nothing, light', (await violations(p)).length === 0, await violations(p));
await p.emulateMedia({ media: 'print' });
ok('on paper no controls', await p.$eval('.tools', e => getComputedStyle(e).display) === 'none');
ok('no error, nothing fetched', p.wrong.length === 0, p.wrong);

// --- a telephone, dark
const q = await open(page_path, 390, 'dark');
const wide = await sideways(q);
ok('390 px: nothing scrolls sideways', wide.page <= 0 && wide.beyond.length === 0, wide);
ok('figures are drawn for the width', await q.$$eval('figure svg', list => {
  const seen = list.filter(s => s.getClientRects().length);
  return seen.length > 2 && seen.every(s => s.getBoundingClientRect().width / s.viewBox.baseVal.width > 0.85);
}), await q.$$eval('figure svg', list => list.filter(s => s.getClientRects().length).map(s => [s.getAttribute('aria-label'), s.getBoundingClientRect().width, s.viewBox.baseVal.width])));
const ground = await q.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
ok('dark is dark', ground.every(v => v < 64), ground);
ok('axe finds nothing, dark and narrow', (await violations(q)).length === 0, await violations(q));
ok('no error there', q.wrong.length === 0, q.wrong);
const plain = await open(page_path, 1400, 'light', { javaScriptEnabled: false });
ok('without scripts the rows are there', (await plain.locator('#t1 tbody tr').count()) === rows.length);

// --- a stranger's folder
const h = await open(hostile_path, 1400, 'light');
ok('a stranger\'s cells are text', h.wrong.length === 0 && await h.evaluate(() => !window.taken &&
  document.querySelectorAll('script:not([type])').length === 1 && !document.querySelector('img, iframe, foreignObject, [onload], [onclick], [onerror]')), h.wrong);
await h.locator('#t1 .sort').first().click();
await h.locator('#t1 .more').first().click();
ok('also when sorted and opened', h.wrong.length === 0 && await h.evaluate(() => !window.taken && !document.querySelector('img')), h.wrong);

// --- two runs
if (two_path) {
  const two = await open(two_path, 1400, 'light');
  ok('two runs: an answer, a table, no error', two.wrong.length === 0 && (await two.$$('#answer .lead')).length > 0 && (await two.$$('#t1 tbody tr')).length > 0, two.wrong);
  ok('two runs: axe finds nothing', (await violations(two)).length === 0, await violations(two));
  const phone = await open(two_path, 390, 'dark');
  ok('two runs at 390 px', (await sideways(phone)).page <= 0, await sideways(phone));
}
await browser.close();
console.log(`1..${count}`);
process.exit(bad);
