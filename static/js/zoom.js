// Looking closely: a window on the picture at its own size or larger, moved by
// dragging, scrolling or the arrow keys. Before and after stay comparable: the
// line between them keeps its place in the window while the picture moves below.

import { announce } from './words.js';

const LEVELS = [0, 1, 2, 4, 8]; // pixels of the screen for one of the picture; 0 fits
const wired = new WeakMap(); // figure: the AbortController of its listeners
const shown = new WeakMap(); // img: its Blob

// zoom wires the controls of an article after compare. item is { file, view,
// before, original }: fitted, it shows the views; zoomed in, the full pictures,
// where there are any and this browser can show them.
export function zoom(article, item) {
  const figure = article.querySelector('.viewer');
  const frame = figure.querySelector('.window');
  const plate = frame.querySelector('.plate');
  const split = plate.querySelector('.split');
  const controls = figure.querySelector('.zoom');
  const buttons = [...controls.querySelectorAll('[data-zoom]')];
  let level = 0;

  // line finds what part of the picture is where the line is in the window.
  const line = () => {
    let share = Number(split.value) / 100;
    if (level && share > 0 && share < 1) {
      const at = frame.scrollLeft + share * frame.clientWidth - plate.offsetLeft;
      share = Math.min(1, Math.max(0, at / plate.offsetWidth));
    }
    plate.style.setProperty('--split', `${100 * share}%`);
  };

  const show = (next) => {
    const [x, y] = level ? middle(frame, plate) : [0.5, 0.5];
    level = next;
    plate.style.setProperty('--zoom', level / devicePixelRatio);
    figure.classList.toggle('zoomed', level > 0);
    figure.classList.toggle('grained', level > 1);
    for (const button of buttons) button.setAttribute('aria-pressed', String(Number(button.dataset.zoom) === level));
    if (!level && document.activeElement === frame) buttons[0].focus();
    reachable(frame, level > 0);
    frame.scrollTo(x * plate.offsetWidth - frame.clientWidth / 2, y * plate.offsetHeight - frame.clientHeight / 2);
    line();
    put(plate.querySelector('.after'), level ? item.file : item.view ?? item.file);
    put(plate.querySelector('.before'), level ? item.original : item.before);
  };

  // No zoom is offered where every pixel is visible anyway.
  const offer = () => {
    controls.hidden = !level && plate.offsetWidth * devicePixelRatio + 1 >= Number(plate.style.getPropertyValue('--width'));
    line();
  };

  wired.get(figure)?.abort();
  const end = new AbortController();
  wired.set(figure, end);
  const on = (target, type, act) => target.addEventListener(type, act, { signal: end.signal });
  on(controls, 'click', ({ target }) => {
    const button = target.closest('[data-zoom]');
    if (button) show(Number(button.dataset.zoom));
  });
  on(figure, 'keydown', (event) => {
    const next = LEVELS[LEVELS.indexOf(level) + { '+': 1, '=': 1, '-': -1 }[event.key]];
    if (next === undefined || controls.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    show(next);
    announce(next ? `${next * 100} %` : 'The whole picture');
  });
  on(frame, 'scroll', line);
  on(split, 'input', line);
  on(article, 'click', ({ target }) => {
    if (target.closest('[data-view]')) line();
  });
  on(frame, 'pointerdown', (event) => {
    if (level && event.button === 0 && event.pointerType === 'mouse') drag(frame, event);
  });
  on(frame, 'dragstart', (event) => {
    if (level) event.preventDefault(); // the window moves, not the file
  });
  const watch = new ResizeObserver(offer);
  watch.observe(plate);
  on(end.signal, 'abort', () => watch.disconnect());
  const [after, before] = ['.after', '.before'].map((layer) => plate.querySelector(layer));
  shown.set(after, item.view ?? item.file);
  if (before) shown.set(before, item.before);
  show(0);
}

// middle returns what part of the picture is in the middle of the window.
function middle(frame, plate) {
  return [
    (frame.scrollLeft + frame.clientWidth / 2 - plate.offsetLeft) / plate.offsetWidth,
    (frame.scrollTop + frame.clientHeight / 2 - plate.offsetTop) / plate.offsetHeight,
  ];
}

// reachable makes the window focusable while there is something to move.
function reachable(frame, yes) {
  const attributes = { tabindex: '0', role: 'group', 'aria-label': 'Enlarged picture. Arrow keys move it, plus and minus zoom' };
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

// put shows a Blob once it is decoded, unless another has been requested meanwhile.
async function put(img, blob) {
  if (!img || !blob || shown.get(img) === blob) return;
  shown.set(img, blob);
  const ready = new Image();
  ready.src = URL.createObjectURL(blob);
  try {
    await ready.decode();
  } catch {
    return; // a format that this browser cannot show: the view stays
  }
  if (shown.get(img) !== blob) {
    URL.revokeObjectURL(ready.src);
    return;
  }
  URL.revokeObjectURL(img.src);
  img.src = ready.src;
}
