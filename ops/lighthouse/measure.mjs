// Prints the median of five Lighthouse runs for each page (mobile preset) and
// fails unless every median is 100. node measure.mjs ORIGIN PATH...
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import process from 'node:process';

const RUNS = 5;
const METRICS = { LCP: 'largest-contentful-paint', TBT: 'total-blocking-time', CLS: 'cumulative-layout-shift' };

const require = createRequire(`${process.env.LIGHTHOUSE}/`);
const { default: lighthouse } = await import(pathToFileURL(require.resolve('lighthouse')));
const { launch } = await import(pathToFileURL(require.resolve('chrome-launcher')));

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

// page answers the medians of one page, and what any run found wanting.
async function page(url) {
  const reports = [];
  for (let i = 0; i < RUNS; i += 1) {
    // Each run is a first visit: a browser of its own.
    const chrome = await launch({
      chromePath: '/usr/bin/chromium',
      chromeFlags: ['--headless=new', '--no-sandbox', '--ignore-certificate-errors', '--disable-component-update'],
    });
    try {
      const { lhr } = await lighthouse(url, { port: chrome.port, logLevel: 'error' });
      if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
      reports.push(lhr);
    } finally {
      chrome.kill();
    }
  }
  const row = {};
  for (const id of Object.keys(reports[0].categories)) row[id] = median(reports.map((r) => Math.round(r.categories[id].score * 100)));
  for (const [name, id] of Object.entries(METRICS)) row[name] = reports[0].audits[id].numericUnit === 'unitless'
    ? median(reports.map((r) => r.audits[id].numericValue)).toFixed(3)
    : `${Math.round(median(reports.map((r) => r.audits[id].numericValue)))} ms`;
  return { row, wanting: wanting(reports) };
}

// wanting lists the audits that cost a page points.
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
process.exitCode = perfect ? 0 : 1;
