// Looking closely: a window on the picture, up to eight pixels of the screen for
// one of its own. Wheel, pinch, double-click, buttons and keys zoom; dragging,
// scrolling and arrow keys move.

import { t } from './texts.js';
import { announce } from './words.js';

const MOST = 8;
const STEPS = [.25, .5, 1, 2, 4, 8];

export class Zoom {
  #scale = 0; // pixels of the screen for one of the picture; 0 fits
  #fitted = 1; // that scale while the picture fits
  #item = null;
  #shown = new WeakMap(); // img: its Blob

  // moved is called after every change of what the window shows.
  constructor(figure, moved) {
    this.figure = figure;
    this.frame = figure.querySelector('.window');
    this.plate = figure.querySelector('.plate');
    this.level = figure.querySelector('.level');
    this.moved = moved;
    this.#wire();
    new ResizeObserver(() => this.settle()).observe(this.plate);
  }

  // show begins with an item as a whole: { file, view, before, original }.
  show(item) {
    this.#item = item;
    this.#shown = new WeakMap();
    this.#apply(0);
  }

  // settle measures again, after the picture has got another size.
  settle() {
    if (!this.#scale) this.#fitted = this.#measure();
    this.level.textContent = `${Math.round(100 * (this.#scale || this.#fitted))} %`;
  }

  // to zooms to a scale; what is at x, y in the window stays there.
  to(scale, x = this.frame.clientWidth / 2, y = this.frame.clientHeight / 2) {
    const { frame, plate } = this;
    const across = (frame.scrollLeft + x - plate.offsetLeft) / plate.offsetWidth;
    const down = (frame.scrollTop + y - plate.offsetTop) / plate.offsetHeight;
    const most = Math.max(MOST, this.#fitted);
    this.#apply(scale <= this.#fitted * 1.01 ? 0 : Math.min(most, scale));
    frame.scrollTo({ left: across * plate.offsetWidth + plate.offsetLeft - x, top: down * plate.offsetHeight + plate.offsetTop - y, behavior: 'instant' });
    this.moved();
  }

  // step zooms by one step in (1) or out (-1).
  step(direction) {
    const now = this.#scale || this.#fitted;
    const next = direction > 0 ? STEPS.find((s) => s > now * 1.01) ?? MOST : STEPS.findLast((s) => s < now * .99) ?? 0;
    this.to(next);
    announce(this.#scale ? this.level.textContent : t('The whole picture'));
  }

  #measure() {
    return (this.plate.offsetWidth * devicePixelRatio) / (Number(this.plate.style.getPropertyValue('--width')) || 1);
  }

  #apply(scale) {
    const { figure, frame, plate } = this;
    if (scale && !this.#scale) frame.style.setProperty('--frozen', `${frame.clientHeight}px`);
    this.#scale = scale;
    plate.style.setProperty('--zoom', scale / devicePixelRatio);
    figure.classList.toggle('zoomed', scale > 0);
    figure.classList.toggle('grained', scale > 1);
    if (!scale && document.activeElement === frame) figure.querySelector('[data-zoom="in"]').focus();
    reachable(frame, scale > 0);
    this.settle();
    const close = (scale || this.#fitted) * (plate.offsetWidth ? 1 : 0) > 0 && scale > 0;
    const { file, view, before, original } = this.#item ?? {};
    this.#put(plate.querySelector('.after'), close ? file : view ?? file);
    this.#put(plate.querySelector('.before'), close ? original ?? before : before);
    this.moved();
  }

  // put shows a Blob once it is decoded, unless another is wanted meanwhile.
  async #put(img, blob) {
    if (!img || !blob) return;
    const shown = this.#shown;
    if (!shown.has(img)) shown.set(img, img.classList.contains('before') ? this.#item.before : this.#item.view ?? this.#item.file);
    if (shown.get(img) === blob) return;
    shown.set(img, blob);
    const ready = new Image();
    ready.src = URL.createObjectURL(blob);
    try {
      await ready.decode();
    } catch {
      return; // a format that this browser cannot show: the view stays
    }
    if (this.#shown !== shown || shown.get(img) !== blob) {
      URL.revokeObjectURL(ready.src);
      return;
    }
    URL.revokeObjectURL(img.src);
    img.src = ready.src;
  }

  #wire() {
    const { figure, frame } = this;
    const within = ({ clientX, clientY }) => {
      const { left, top } = frame.getBoundingClientRect();
      return [clientX - left, clientY - top];
    };
    figure.addEventListener('click', ({ target }) => {
      const act = target.closest('[data-zoom]')?.dataset.zoom;
      if (act === 'fit') this.to(0);
      else if (act) this.step(act === 'in' ? 1 : -1);
    });
    figure.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const direction = { '+': 1, '=': 1, '-': -1 }[event.key];
      if (direction) this.step(direction);
      else if (event.key === '0') this.to(0);
      else return;
      event.preventDefault();
    });
    frame.addEventListener('scroll', () => this.moved());
    // At the whole picture the wheel scrolls the page, as far as it can.
    frame.addEventListener('wheel', (event) => {
      const pinch = event.ctrlKey || event.metaKey;
      if (!pinch && !this.#scale && (event.deltaY >= 0 || scrollY > 0)) return;
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
      this.to((this.#scale || this.#fitted) * Math.exp(-pixels / (event.ctrlKey ? 100 : 400)), ...within(event));
    }, { passive: false });
    frame.addEventListener('dblclick', (event) => {
      event.preventDefault();
      this.to(this.#scale ? 0 : Math.max(1, Math.min(MOST, 2 * this.#fitted)), ...within(event));
    });
    this.#wirePinch(within);
    frame.addEventListener('pointerdown', (event) => {
      if (this.#scale && event.button === 0 && event.pointerType === 'mouse') drag(frame, event);
    });
    frame.addEventListener('dragstart', (event) => {
      if (this.#scale) event.preventDefault(); // the window moves, not the file
    });
  }

  #wirePinch(within) {
    const { frame } = this;
    let start = null;
    const span = ([a, b]) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    const middle = ([a, b]) => within({ clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 });
    frame.addEventListener('touchstart', (event) => {
      if (event.touches.length !== 2) return;
      event.preventDefault();
      start = { span: span(event.touches), scale: this.#scale || this.#fitted };
    }, { passive: false });
    frame.addEventListener('touchmove', (event) => {
      if (!start || event.touches.length !== 2) return;
      event.preventDefault();
      this.to((start.scale * span(event.touches)) / start.span, ...middle(event.touches));
    }, { passive: false });
    for (const type of ['touchend', 'touchcancel']) frame.addEventListener(type, () => {
      start = null;
    });
  }
}

// reachable makes the window focusable while there is something to move.
function reachable(frame, yes) {
  const attributes = { tabindex: '0', role: 'group', 'aria-label': t('Enlarged picture. Arrow keys move it, plus and minus zoom') };
  for (const [name, value] of Object.entries(attributes)) {
    if (yes) frame.setAttribute(name, value);
    else frame.removeAttribute(name);
  }
}

function drag(frame, { pointerId }) {
  frame.setPointerCapture(pointerId);
  frame.onpointermove = ({ movementX, movementY }) => frame.scrollBy(-movementX, -movementY);
  frame.onlostpointercapture = () => {
    frame.onpointermove = null;
  };
}
