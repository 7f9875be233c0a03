// Sizes, names and announcements for screen readers.

import { locale } from './texts.js';

export function bytes(n) {
  if (n < 1024 * 1024) return `${Math.ceil(n / 1024)} KB`;
  if (n < 1024 ** 3) return `${number(n / 1024 ** 2, n < 100 * 1024 ** 2 ? 1 : 0)} MB`;
  return `${number(n / 1024 ** 3)} GB`;
}

// number writes a number with so many digits after the point.
export function number(x, digits = 1) {
  return new Intl.NumberFormat(locale, { useGrouping: false, minimumFractionDigits: digits, maximumFractionDigits: digits }).format(x);
}

const ENDINGS = { 'image/png': 'png', 'image/webp': 'webp', 'image/jpeg': 'jpg' };

// fileName names a result after its photo: beach.heic becomes beach-cutout.png.
export function fileName(photo, type) {
  const stem = photo.replace(/\.[a-z0-9]{2,5}$/i, '').replace(/[\\/:*?"<>|\u0000-\u001f]/g, '_').trim();
  return `${stem || 'photo'}-cutout.${ENDINGS[type] ?? 'png'}`;
}

// uniqueNames gives each of several files a name of its own.
export function uniqueNames(names) {
  const seen = new Map();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : name.replace(/(\.[^.]*)$/, `-${count}$1`);
  });
}

// announce speaks through the page's status line, one sentence at a time.
export function announce(sentence) {
  const line = document.getElementById('announcer');
  if (line) line.textContent = sentence;
}

export function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}
