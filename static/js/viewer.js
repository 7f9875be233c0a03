// The picture of a result: its layers, and the line between before and after.
// The line is moved by its knob, by a range field for keys, and by three
// buttons; the rest of the picture is left to the browser, which saves, copies
// and drags it as any other.

import { blobSource } from './blobs.js';
import { settings } from './settings.js';
import { t } from './texts.js';
import { Zoom } from './zoom.js';

export class Viewer {
  // figure is the <figure class="viewer"> of templates/fragment/stage.html; placed
  // is called with the part of the picture that is shown.
  constructor(figure, placed) {
    this.figure = figure;
    this.placed = placed;
    this.frame = figure.querySelector('.window');
    this.plate = figure.querySelector('.plate');
    this.split = figure.querySelector('.split');
    this.handle = figure.querySelector('.handle');
    this.buttons = [...figure.querySelectorAll('[data-view]')];
    this.zoom = new Zoom(figure, () => this.#line());
    this.split.addEventListener('input', () => this.reveal(Number(this.split.value)));
    for (const button of this.buttons) button.addEventListener('click', () => this.reveal(Number(button.dataset.view)));
    this.#wireKnob();
    wireBehind(figure);
    const watch = new ResizeObserver(() => this.#line());
    for (const part of [this.frame, this.plate]) watch.observe(part);
  }

  // show puts an item's views up: { file, view, before, original }.
  show(item) {
    this.zoom.show(item);
    const after = this.plate.querySelector('.after');
    blobSource(after, item.view ?? item.file);
    this.plate.querySelector('.before')?.remove();
    const original = item.before;
    for (const part of [this.split, this.handle, this.figure.querySelector('.views')]) part.hidden = !original;
    if (original) {
      const before = document.createElement('img');
      before.className = 'before';
      before.alt = t('The original photo');
      before.decoding = 'async';
      blobSource(before, original);
      after.after(before);
    }
    this.reveal(0);
  }

  // place makes room for a picture of these pixels, or for a part of it.
  place(width, height, part = { left: 0, top: 0, width, height }) {
    const set = (name, value) => this.plate.style.setProperty(`--${name}`, value);
    const percent = (a, b) => `${(100 * a) / b}%`;
    set('width', part.width);
    set('ratio', part.width / part.height);
    set('left', percent(-part.left, part.width));
    set('top', percent(-part.top, part.height));
    set('wide', percent(width, part.width));
    set('high', percent(height, part.height));
    set('from', percent(part.left, width));
    set('share', part.width / width);
    this.plate.classList.add('sized');
    this.plate.classList.toggle('framed', Boolean(part.canvas));
    this.zoom.settle();
    this.placed(part.canvas ?? part);
  }

  // reveal shows so many per cent of the original.
  reveal(percent) {
    this.split.value = percent;
    this.split.setAttribute('aria-valuetext', t('{percent} % of the original', { percent }));
    this.handle.classList.toggle('whole', percent === 0 || percent === 100);
    const pressed = percent === 0 || percent === 100 ? percent : 50;
    for (const button of this.buttons) button.setAttribute('aria-pressed', String(Number(button.dataset.view) === pressed));
    this.#line();
  }

  // grip lays the finished picture over the view, unseen, for the browser's own
  // menu and for dragging it out, under a name.
  grip(blob, name) {
    const grip = this.plate.querySelector('.grip');
    blobSource(grip, blob);
    grip.ondragstart = ({ dataTransfer }) => {
      if (blob) dataTransfer.setData('DownloadURL', `${blob.type}:${name}:${grip.src}`);
    };
  }

  // seen returns where the picture lies in the window: its visible part, and all.
  #seen() {
    const left = this.plate.offsetLeft - this.frame.scrollLeft;
    const width = this.plate.offsetWidth;
    return { from: Math.max(0, left), to: Math.min(this.frame.clientWidth, left + width), left, width };
  }

  // line puts the line where the range field says, within what is visible.
  #line() {
    const share = Number(this.split.value) / 100;
    const { from, to, left, width } = this.#seen();
    const x = from + share * (to - from);
    const at = share === 0 || share === 1 ? share : Math.min(1, Math.max(0, (x - left) / width));
    this.plate.style.setProperty('--split', `${100 * at}%`);
    this.handle.style.setProperty('--x', `${x}px`);
  }

  #wireKnob() {
    const knob = this.handle.querySelector('.knob');
    const move = ({ clientX }) => {
      const { from, to } = this.#seen();
      const x = clientX - this.frame.getBoundingClientRect().left;
      this.reveal(Math.round(100 * Math.min(1, Math.max(0, (x - from) / (to - from)))));
    };
    knob.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      knob.setPointerCapture(event.pointerId);
      this.split.focus({ preventScroll: true, focusVisible: false });
      knob.onpointermove = move;
    });
    knob.addEventListener('lostpointercapture', () => {
      knob.onpointermove = null;
    });
  }
}

let count = 0;

// wireBehind wires the choice of what a transparent picture is looked at on; it
// is the same for all pictures.
function wireBehind(figure) {
  const radios = [...figure.querySelectorAll('.behind [type="radio"]')];
  count += 1;
  const choose = (value) => {
    figure.dataset.behind = value;
    for (const radio of radios) radio.checked = radio.value === value;
  };
  for (const radio of radios) {
    radio.name = `behind-${count}`;
    radio.addEventListener('change', () => {
      choose(radio.value);
      settings.set('behind', radio.value);
    });
  }
  choose(radios.some(({ value }) => value === settings.get('behind')) ? settings.get('behind') : 'light');
}
