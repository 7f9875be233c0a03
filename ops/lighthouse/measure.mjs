// Prints the median of five Lighthouse runs for each page (mobile preset) and
// fails unless every median is 100. node measure.mjs ORIGIN PATH...
import { createRequire } from 'node:module';
import { cpus, loadavg } from 'node:os';
import { pathToFileURL } from 'node:url';
import process from 'node:process';

const RUNS = 5;

const require = createRequire(`${process.env.LIGHTHOUSE}/`);
const { default: lighthouse } = await import(pathToFileURL(require.resolve('lighthouse')));
const { launch } = await import(pathToFileURL(require.resolve('chrome-launcher')));

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

// visit returns the report of one first visit, in a fresh browser.
async function visit(url) {
  const chrome = await launch({
    chromePath: '/usr/bin/chromium',
    chromeFlags: ['--headless=new', '--no-sandbox', '--ignore-certificate-errors', '--disable-component-update'],
  });
  try {
    return (await lighthouse(url, { port: chrome.port, logLevel: 'silent' })).lhr;
  } finally {
    chrome.kill();
  }
}

// page returns the medians for one page, and the audits that failed in any run.
async function page(url) {
  const reports = [];
  let failures = 0;
  while (reports.length < RUNS) {
    const report = await visit(url);
    if (!report.runtimeError) reports.push(report);
    else if ((failures += 1) > RUNS) throw new Error(report.runtimeError.message);
  }
  const values = (id) => reports.map(({ audits }) => audits[id].numericValue);
  const row = {};
  for (const id of Object.keys(reports[0].categories)) row[id] = median(reports.map((r) => Math.round(r.categories[id].score * 100)));
  row['LCP, ms'] = median(values('largest-contentful-paint')).toFixed();
  row['TBT, ms'] = median(values('total-blocking-time')).toFixed();
  row.CLS = median(values('cumulative-layout-shift')).toFixed(3);
  return { row, wanting: wanting(reports) };
}

// wanting lists the audits that lowered a page's score.
function wanting(reports) {
  const found = new Map();
  for (const { audits, categories } of reports) {
    for (const { auditRefs } of Object.values(categories)) {
      for (const { id, weight } of auditRefs) {
        const { score, title, displayValue = '' } = audits[id];
        if (weight && score !== null && score < 0.9) found.set(id, `${title} ${displayValue}`);
      }
    }
  }
  return found;
}

const [origin, ...paths] = process.argv.slice(2);
let perfect = true;
const rows = {};
for (const path of paths) {
  const { row, wanting: found } = await page(origin + path);
  rows[path] = row;
  perfect &&= Object.values(row).filter(Number.isInteger).every((score) => score === 100);
  for (const [id, words] of found) console.log(`${path}: ${id}: ${words}`);
}
console.table(rows);
console.log(`machine load: ${loadavg()[0].toFixed(1)} on ${cpus().length} processors`);
process.exitCode = perfect ? 0 : 1;
