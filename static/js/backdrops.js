// The swatches: what is behind a cut-out. Colours and blends are shown by the
// page's own styles, pictures by an img that covers the plate.

import { layer } from './blobs.js';
import { shown } from './convert.js';
import { NONE, blurred, paint } from './style.js';
import { t } from './texts.js';

let count = 0;

export class Backdrops {
  #item = null;

  // say shows a sentence below the tools; changed is called with the background
  // that a visitor has chosen.
  constructor(article, { say, changed }) {
    this.box = article.querySelector('.backdrops');
    this.plate = article.querySelector('.plate');
    this.mixes = [...article.querySelectorAll('.mix')];
    this.picker = this.box.querySelector('[type="file"]');
    this.radios = [...this.box.querySelectorAll('[type="radio"]')];
    this.say = say;
    this.changed = changed;
    count += 1;
    for (const radio of this.radios) {
      radio.name = `backdrop-${count}`;
      radio.addEventListener('change', () => this.#choose(radio.value));
      const { colour, blend } = radio.dataset;
      if (colour || blend) radio.nextElementSibling.style.setProperty('--dot', paint(colour ? { kind: 'colour', colour } : blendOf(blend)));
    }
    for (const mix of this.mixes) mix.addEventListener('input', () => this.#choose(mix.dataset.for));
    article.querySelector('[data-act="behind"]').addEventListener('click', () => this.picker.click());
    this.picker.addEventListener('change', () => this.#take());
  }

  // show sets the controls to an item's style, and shows its background.
  async show(item) {
    this.#item = item;
    const { background } = item.style;
    const radio = this.#radioOf(background);
    radio.checked = true;
    this.#radio('blur').disabled = !item.before;
    this.picker.value = '';
    for (const [name, value] of Object.entries(background)) {
      const field = this.#field(name);
      if (field && typeof value !== 'object') field.value = value;
    }
    for (const mix of this.mixes) mix.hidden = mix.dataset.for !== radio.value;
    for (const [kind, value] of Object.entries({ colour: this.#read('colour'), gradient: this.#read('gradient') })) {
      this.#radio(kind).nextElementSibling.style.setProperty('--dot', paint(value));
    }
    const amount = this.#field('amount');
    amount.nextElementSibling.textContent = `${amount.value} %`;
    await this.#cover(item, background);
  }

  #field(name) {
    return this.mixes.map((mix) => mix.querySelector(`[name="${name}"]`)).find(Boolean);
  }

  #radio(value) {
    return this.radios.find((radio) => radio.value === value);
  }

  // radioOf finds the swatch of a background, a ready one where it is one.
  #radioOf(background) {
    const look = paint(background);
    return (look && this.radios.find(({ dataset }) => (dataset.colour ?? (dataset.blend && paint(blendOf(dataset.blend)))) === look)) || this.#radio(background.kind);
  }

  #read(value) {
    const { colour, blend } = this.#radio(value).dataset;
    if (colour) return { kind: 'colour', colour };
    if (blend) return blendOf(blend);
    const field = (name) => this.#field(name).value;
    switch (value) {
      case 'colour': return { kind: 'colour', colour: field('colour') };
      case 'gradient': return { kind: 'gradient', from: field('from'), to: field('to'), degrees: Number(field('degrees')) };
      case 'blur': return { kind: 'blur', amount: Number(field('amount')) };
      default: return NONE;
    }
  }

  #choose(value) {
    if (value !== 'picture') return this.changed(this.#read(value));
    this.#radioOf(this.#item.style.background).checked = true; // until there is a picture
    this.picker.click();
  }

  async #take() {
    const [file] = this.picker.files;
    if (!file) return;
    const item = this.#item;
    try {
      const picture = await shown(file, this.say);
      this.say('');
      if (item === this.#item) this.changed({ kind: 'picture', picture });
    } catch {
      if (item !== this.#item) return;
      this.say(t('That picture could not be opened. Choose another one.'));
      this.changed(NONE);
    }
  }

  // cover shows the background behind the view.
  async #cover(item, background) {
    const { plate } = this;
    const place = plate.querySelector('.backdrop');
    const current = () => this.#item === item && item.style.background === background;
    plate.dataset.backdrop = background.kind === 'none' && item.style.type === 'image/jpeg' ? 'white' : background.kind;
    plate.style.setProperty('--backdrop', paint(background) ?? 'none');
    if (background.kind !== 'blur' && background.kind !== 'picture') {
      place.replaceChildren();
      return;
    }
    try {
      if (background.kind === 'blur') this.say(t('Blurring the original'));
      const img = await layer(background.picture ?? await blurred(item, background.amount), '');
      if (!current()) return;
      place.replaceChildren(img);
      this.say('');
    } catch {
      if (!current()) return;
      this.say(background.kind === 'picture' ? t('That picture could not be opened. Choose another one.') : t('The original could not be blurred.'));
      this.changed(NONE);
    }
  }
}

function blendOf(words) {
  const [from, to, degrees] = words.split(',');
  return { kind: 'gradient', from, to, degrees: Number(degrees) };
}
