// The lasting choices on the page "Your data".

import './page.js';
import { remove, usage } from './device/files.js';
import { settings } from './settings.js';
import { t } from './texts.js';
import { announce, bytes } from './words.js';

const CHOICES = { 'no-cookie': ['cookie', 'no'], 'no-gallery': ['gallery', 'off'] };

for (const [id, [name, value]] of Object.entries(CHOICES)) {
  const box = document.getElementById(id);
  box.checked = settings.get(name) === value;
  box.disabled = !settings.available;
  box.addEventListener('change', () => settings.set(name, box.checked ? value : null));
}

if (!settings.available) {
  document.getElementById('choices').textContent = t('Your browser blocks site data, so there is no cookie and no gallery anyway, and these choices can’t be saved.');
}

// What is kept for processing on this device, where something is.
const files = document.getElementById('device-files');

async function show() {
  const used = await usage().catch(() => 0);
  files.hidden = !used;
  document.getElementById('device-bytes').textContent = bytes(used);
}

document.getElementById('device-remove').addEventListener('click', async () => {
  await remove();
  await show();
  announce(t('Removed from this browser'));
});
show();
