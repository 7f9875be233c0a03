// Asks the server for a file, without htmx.

import { settings } from './settings.js';
import { to } from './texts.js';

// post sends fields, nameless files among them, and resolves to the response.
export function post(fields, signal) {
  const form = new FormData();
  form.set('answer', 'file');
  if (settings.get('cookie') === 'no') form.set('cookie', 'no');
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Blob) form.set(name, value, 'photo');
    else form.set(name, value);
  }
  return fetch(to('/device/cutouts'), { method: 'POST', body: form, signal });
}
