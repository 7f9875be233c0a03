// The start page. What only photos need, desk.js with its styles and htmx, is loaded at the
// visitor's first interaction.

import './page.js';
import { demo } from './demo.js';
import { intake } from './intake.js';
import { notice } from './notices.js';
import { t } from './texts.js';

const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'focusin', 'dragenter', 'touchstart', 'paste'];
const at = (path) => new URL(path, import.meta.url).href;

let desk = null; // a promise of the module

function open() {
  desk ??= Promise.all([
    added('script', { src: at('../vendor/htmx/htmx.min.js') }),
    ...['work', 'viewer', 'tools'].map((name) => added('link', { rel: 'stylesheet', href: at(`../css/${name}.css`) })),
  ]).then(async () => {
    // Where photos are processed must be settled before any is taken: otherwise one
    // that is meant to stay on this device would be sent.
    if (document.getElementById('where')) await import('./device/where.js');
    return import('./desk.js');
  });
  desk.catch(() => {
    desk = null;
  });
  return desk;
}

// added resolves once an element of the head has loaded.
function added(name, values) {
  const element = Object.assign(document.createElement(name), values);
  return new Promise((resolve, reject) => {
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${values.src ?? values.href} does not load`));
    document.head.append(element);
  });
}

async function take(files) {
  try {
    (await open()).take(files);
  } catch {
    notice('load', t('A part of this page did not load. Check your connection and add the photos again.'));
  }
}

for (const sign of SIGNS) addEventListener(sign, () => open().catch(() => {}), { once: true, passive: true });
intake(document.getElementById('intake'), take);
demo(document.getElementById('demo'), take);
