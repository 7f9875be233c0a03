// What a finished picture offers: cropping, a shadow, a background behind it,
// saving, copying, sharing. All of it happens here, from the cut-out already in
// the browser.

import { backdrops } from './backdrops.js';
import { download } from './download.js';
import { studio } from './studio.js';
import { subject } from './subject.js';
import { fileName } from './words.js';

let count = 0;

// tools wires the controls of an article. item is { name, width, height, file,
// view, before, original }: the full cut-out, views to look at, and the full
// original where it is still there. It adds item.render(), which resolves to
// { name, blob } as chosen, and sets item.taken once it has been saved.
export function tools(article, item) {
  const box = article.querySelector('.tools');
  const type = box.querySelector('[name="type"]');
  const say = (words) => {
    box.querySelector('.said').textContent = words;
  };
  // The gallery's dialog shows one picture after another: work started for an
  // earlier one must not affect the current one.
  count += 1;
  const id = String(count);
  box.dataset.use = id;
  const page = { id, say, current: () => box.dataset.use === id };
  say('');
  const background = backdrops(article, item, page);
  const placing = subject(article, item, page);
  type.value = item.file.type;
  item.render = async (wanted = type.value) => {
    const options = { ...placing, background: await background() };
    const plain = options.margin === null && !options.shadow && !options.background && wanted === item.file.type;
    const blob = plain ? item.file : await studio('compose', { cutout: item.file, ...options, type: wanted });
    return { name: fileName(item.name, wanted), blob };
  };
  act(box, item, say);
  box.hidden = false;
}

function act(box, item, say) {
  const acts = {
    async save() {
      say('Preparing the file');
      const { name, blob } = await item.render();
      download(name, blob);
      item.taken = true;
      say('');
    },
    async copy() {
      // The promise goes in whole: Safari wants the write within the click.
      const png = item.render('image/png').then(({ blob }) => blob);
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
      say('Copied');
    },
    async share() {
      const { name, blob } = await item.render();
      await navigator.share({ files: [new File([blob], name, { type: blob.type })] });
    },
    alike() {
      box.dispatchEvent(new Event('alike', { bubbles: true }));
    },
  };
  box.querySelector('[data-act="copy"]').hidden = !(window.ClipboardItem && navigator.clipboard?.write);
  box.querySelector('[data-act="share"]').hidden = !canShare();
  box.onclick = async ({ target }) => {
    const chosen = acts[target.closest('[data-act]')?.dataset.act];
    if (!chosen) return;
    try {
      await chosen();
    } catch (error) {
      say(error.name === 'AbortError' ? '' : `That did not work. ${error.message}`);
    }
  };
}

function canShare() {
  try {
    return navigator.canShare?.({ files: [new File(['x'], 'x.png', { type: 'image/png' })] }) ?? false;
  } catch {
    return false;
  }
}
