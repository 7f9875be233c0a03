// Offers the correction of results; what it takes is loaded when it is wanted.

import { shown } from '../convert.js';
import { registerAction } from '../extend.js';
import { t } from '../texts.js';

registerAction('correct', async (task) => {
  const original = task.photo ?? await chosen(task.say);
  const photo = original && (task.readable ?? await shown(original, task.say));
  task.say('');
  if (!photo) return;
  const { correct } = await import('./editor.js');
  await correct({ ...task, photo });
}, () => 'WebAssembly' in window);

// chosen asks for the original, which this browser does not have; null where the
// visitor gives none.
function chosen(say) {
  say(t('The original is not in this browser. Choose the same photo again to correct its cut-out.'));
  const input = Object.assign(document.createElement('input'), { type: 'file', accept: 'image/*,.heic,.heif,.avif,.tif,.tiff', hidden: true, className: 'again' });
  document.body.append(input);
  return new Promise((resolve) => {
    const done = () => {
      input.remove();
      resolve(input.files[0] ?? null);
    };
    input.addEventListener('change', done);
    input.addEventListener('cancel', done);
    input.click();
  });
}
