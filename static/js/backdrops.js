// The swatches: what is behind a cut-out. Colours and gradients are shown by
// the page's own styles, pictures by an img that covers the plate.

import { studio } from './studio.js';
import { layer } from './viewer.js';

const FIXED = { white: '#ffffff', black: '#000000' };

// backdrops wires the swatches and returns a function that resolves to the
// background chosen, as worker/backdrop.js wants it, or to null.
export function backdrops(article, item, { id, say, current }) {
  const box = article.querySelector('.backdrops');
  const mix = article.querySelector('.mix');
  const plate = article.querySelector('.plate');
  const colour = box.querySelector('[type="color"]');
  const picture = box.querySelector('[type="file"]');
  const radios = [...box.querySelectorAll('[type="radio"]')];
  const radio = (kind) => radios.find(({ value }) => value === kind);
  let chosen = 'none';

  const gradient = () => {
    const [from, to, degrees] = ['from', 'to', 'degrees'].map((name) => mix.querySelector(`[name="${name}"]`).value);
    return { kind: 'gradient', from, to, degrees: Number(degrees) };
  };
  const paint = ({ from, to, degrees }) => `linear-gradient(${degrees}deg, ${from}, ${to})`;
  // The whole original is blurred once, for the view and for the saved file.
  const blurred = () => {
    item.blurred ??= studio('blurred', { original: item.original ?? item.before, cutout: item.file });
    return item.blurred;
  };

  const show = {
    colour: () => plate.style.setProperty('--backdrop', colour.value),
    gradient() {
      plate.style.setProperty('--backdrop', paint(gradient()));
      radio('gradient').parentElement.style.setProperty('--mix', paint(gradient()));
    },
    async blur() {
      say('Blurring the original');
      await cover(plate, await blurred(), () => current() && chosen === 'blur');
      say('');
    },
    async picture() {
      const file = picture.files[0];
      const { blob } = await studio('view', { photo: file, type: 'image/webp' });
      await cover(plate, blob, () => current() && chosen === 'picture' && picture.files[0] === file);
    },
  };

  const choose = async (kind) => {
    if (kind === 'picture' && !picture.files.length) {
      picture.click();
      radio(chosen).checked = true;
      return;
    }
    chosen = kind;
    radio(kind).checked = true;
    mix.hidden = kind !== 'gradient';
    plate.dataset.backdrop = kind;
    if (kind !== 'blur' && kind !== 'picture') plate.querySelector('.backdrop').replaceChildren();
    try {
      await show[kind]?.();
    } catch {
      item.blurred = undefined; // the next choice tries again
      if (!current() || chosen !== kind) return;
      say(kind === 'picture' ? 'That picture could not be opened. Choose another one.' : 'The original could not be blurred.');
      picture.value = '';
      choose('none');
    }
  };

  for (const one of radios) {
    one.name = `backdrop-${id}`;
    one.onchange = () => choose(one.value);
  }
  radio('blur').disabled = !item.before;
  // A click on the colour's swatch chooses it as well as opening the picker.
  colour.onclick = colour.oninput = () => choose('colour');
  mix.oninput = () => choose('gradient');
  radio('picture').onclick = () => {
    if (chosen === 'picture') picture.click();
  };
  picture.onchange = () => choose('picture');
  show.gradient();
  choose('none');

  return async () => {
    switch (chosen) {
      case 'none': return null;
      case 'gradient': return gradient();
      case 'blur': return { kind: 'picture', picture: await blurred(), whole: true };
      case 'picture': return { kind: 'picture', picture: picture.files[0] };
      default: return { kind: 'colour', colour: FIXED[chosen] ?? colour.value };
    }
  };
}

// cover lays a picture behind the view while it is still wanted.
async function cover(plate, blob, wanted) {
  const img = await layer(blob, '');
  if (wanted()) plate.querySelector('.backdrop').replaceChildren(img);
}
