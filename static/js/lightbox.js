// The dialog that shows one picture of the gallery with its tools.

import { address, load } from './store.js';
import { tools } from './tools.js';
import { blobSource, compare, size } from './viewer.js';
import { bytes } from './words.js';
import { zoom } from './zoom.js';

const dialog = document.getElementById('viewer');

// openViewer shows an entry; remove is called with it when the visitor deletes it.
export async function openViewer(entry, remove) {
  const { file, view, before } = await load(entry.id);
  if (!file) throw new Error('Your browser has deleted this picture.');
  const after = dialog.querySelector('.after');
  size(dialog, entry.width, entry.height);
  blobSource(after, view ?? file);
  dialog.querySelector('h2').textContent = entry.name;
  dialog.querySelector('.facts .bytes').textContent = bytes(entry.bytes);
  dialog.querySelector('[data-open]').href = address(entry.id);
  compare(dialog, before);
  zoom(dialog, { file, view, before });
  tools(dialog, { name: entry.name, width: entry.width, height: entry.height, file, view, before });
  dialog.querySelector('[data-do="close"]').onclick = () => dialog.close();
  dialog.querySelector('[data-do="delete"]').onclick = () => {
    dialog.close();
    remove(entry);
  };
  // A click beside the dialog closes it.
  dialog.onclick = ({ target }) => {
    if (target === dialog) dialog.close();
  };
  dialog.showModal();
  dialog.querySelector('h2').focus();
}
