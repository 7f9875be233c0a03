// The lasting choices on the page "Your data".

import './page.js';
import { settings } from './settings.js';

const CHOICES = { 'no-cookie': ['cookie', 'no'], 'no-gallery': ['gallery', 'off'] };

for (const [id, [name, value]] of Object.entries(CHOICES)) {
  const box = document.getElementById(id);
  box.checked = settings.get(name) === value;
  box.disabled = !settings.available;
  box.addEventListener('change', () => settings.set(name, box.checked ? value : null));
}

if (!settings.available) {
  document.getElementById('choices').textContent = 'Your browser blocks site data, so there is no cookie and no gallery anyway, and these choices can’t be saved.';
}
