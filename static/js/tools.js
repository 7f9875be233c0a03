// What a finished picture offers: a background behind it, saving, copying,
// sharing. Backgrounds are put in here, from the cut-out already in the browser.

import { studio } from './studio.js';
import { fileName } from './words.js';
import { blobSource } from './viewer.js';

let count = 0;

// tools wires the controls of an article. item is { name, file, view, before,
// original }: the full cut-out, views to look at, and the full original where
// it is still there. It adds item.render(), which resolves to { name, blob } as
// chosen, and sets item.taken once it was saved.
export function tools(article, item) {
  const box = article.querySelector('.tools');
  const type = box.querySelector('[name="type"]');
  const say = (words) => {
    box.querySelector('.said').textContent = words;
  };
  const backdrop = backdrops(article, item, say);
  type.value = item.file.type;
  item.render = async (wanted = type.value) => {
    const plain = backdrop.kind === 'none' && wanted === item.file.type;
    const blob = plain ? item.file : await studio('compose', {
      cutout: item.file, original: item.original ?? item.before, backdrop: { ...backdrop }, type: wanted,
    });
    return { name: fileName(item.name, wanted), blob };
  };
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
  };
  box.querySelector('[data-act="copy"]').hidden = !(window.ClipboardItem && navigator.clipboard?.write);
  box.querySelector('[data-act="share"]').hidden = !canShare();
  box.onclick = async ({ target }) => {
    const act = acts[target.closest('[data-act]')?.dataset.act];
    if (!act) return;
    try {
      await act();
    } catch (error) {
      say(error.name === 'AbortError' ? '' : `That did not work. ${error.message}`);
    }
  };
  box.hidden = false;
}

function canShare() {
  try {
    return navigator.canShare?.({ files: [new File(['x'], 'x.png', { type: 'image/png' })] }) ?? false;
  } catch {
    return false;
  }
}

export function download(name, blob) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// backdrops wires the swatches and returns the choice, kept up to date.
function backdrops(article, item, say) {
  const box = article.querySelector('.backdrops');
  const plate = article.querySelector('.plate');
  const colour = box.querySelector('[type="color"]');
  const picture = box.querySelector('[type="file"]');
  const radios = [...box.querySelectorAll('[type="radio"]')];
  const choice = { kind: 'none', colour: colour.value, picture: null };
  count += 1;
  for (const radio of radios) {
    radio.name = `backdrop-${count}`;
    radio.checked = radio.value === 'none';
    if (radio.value === 'blur') radio.disabled = !item.before;
  }
  const choose = async (kind) => {
    if (kind === 'picture' && !picture.files.length) {
      picture.click();
      radios.find((radio) => radio.value === choice.kind).checked = true;
      return;
    }
    Object.assign(choice, { kind, colour: colour.value, picture: picture.files[0] ?? null });
    plate.style.setProperty('--backdrop', colour.value);
    plate.dataset.backdrop = kind;
    try {
      await paint(plate, choice, item);
    } catch {
      say('That picture could not be opened. Choose another one.');
      radios[0].click();
    }
  };
  for (const radio of radios) radio.onchange = () => choose(radio.value);
  // A click on the colour's swatch chooses it as well as opening the picker.
  colour.onclick = colour.oninput = () => {
    radios.find((radio) => radio.value === 'colour').checked = true;
    choose('colour');
  };
  const anew = radios.find((radio) => radio.value === 'picture');
  anew.onclick = () => {
    if (choice.kind === 'picture') picture.click();
  };
  picture.onchange = () => {
    anew.checked = true;
    choose('picture');
  };
  choose('none');
  return choice;
}

// paint shows a blur or a picture behind the view.
async function paint(plate, choice, item) {
  const place = plate.querySelector('.backdrop');
  if (choice.kind !== 'blur' && choice.kind !== 'picture') {
    place.replaceChildren();
    return;
  }
  const { naturalWidth: width, naturalHeight: height } = plate.querySelector('.after');
  const blob = await studio('backdrop', { width, height, backdrop: { ...choice }, original: item.before });
  const img = document.createElement('img');
  img.alt = '';
  blobSource(img, blob);
  await img.decode();
  place.replaceChildren(img);
}
