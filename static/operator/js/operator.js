// Parts are folded on a phone and open on a wide screen; what the operator has opened or
// closed stays so when the page refreshes its parts.

const wide = matchMedia('(min-width: 48rem)');
const opened = new Map(); // by id

function restore(part) {
  for (const details of part.querySelectorAll('details[id]')) {
    if (opened.has(details.id)) details.open = opened.get(details.id);
    else if (wide.matches && details.matches('.fold')) details.open = true;
  }
}

// A link to a part opens it.
function reveal() {
  const fold = document.querySelector(`${location.hash || '#none'} > .fold`);
  if (fold) fold.open = true;
}

document.addEventListener('toggle', ({ target }) => {
  if (target.id) opened.set(target.id, target.open);
}, true);
document.addEventListener('htmx:load', ({ detail }) => restore(detail.elt));
addEventListener('hashchange', reveal);
restore(document);
reveal();

// A chart reads its values from its own curves: at the pointer, and with the keyboard.

const reading = { plot: '', x: 0 }; // which chart, and where in it

function vertices(plot) {
  return [...plot.querySelectorAll('.line')].map((line) => [...line.getAttribute('d').matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]));
}

const digits = (value) => Number(value.toPrecision(3));
const units = {
  number: digits,
  seconds: (value) => (value > 0 && value < 1 ? `${digits(value * 1000)} ms` : `${digits(value)} s`),
  bytes: (value) => (value >= 1e9 ? `${digits(value / 1e9)} GB` : `${digits(value / 1e6)} MB`),
};

function read(plot, x) {
  const { width, height } = plot.viewBox.baseVal;
  const { unit, top, from, to, span } = plot.dataset;
  const lines = vertices(plot);
  const all = lines.flat().map(([at]) => at);
  if (all.length === 0) return;
  const at = all.reduce((best, each) => (Math.abs(each - x) < Math.abs(best - x) ? each : best));
  const time = new Date((Number(from) + (at / width) * (to - from)) * 1000).toISOString();
  const names = [...plot.parentElement.querySelectorAll('.legend .name')].map((name) => name.textContent);
  const values = lines.map((line, i) => {
    const found = line.find(([each]) => each === at);
    return `${names[i]} ${found ? units[unit](Number(top) * (1 - found[1] / height)) : '–'}`;
  });
  plot.querySelector('.cursor').setAttribute('d', `M${at} 0V${height}`);
  plot.parentElement.querySelector('.reading').textContent = `${span === 'hour' ? time.slice(11, 19) : time.slice(0, 16).replace('T', ' ')} UTC: ${values.join(', ')}`;
  reading.plot = plot.id;
  reading.x = at;
}

function stop(plot) {
  if (!plot || plot === document.activeElement) return;
  plot.querySelector('.cursor').removeAttribute('d');
  plot.parentElement.querySelector('.reading').innerHTML = '<span class="soft">UTC</span>';
  reading.plot = '';
}

function step(plot, by) {
  const all = [...new Set(vertices(plot).flat().map(([at]) => at))].sort((a, b) => a - b);
  if (all.length > 0) read(plot, all[Math.max(0, Math.min(all.length - 1, all.indexOf(reading.x) + by))]);
}

const plotOf = ({ target }) => target.closest?.('.plot');

document.addEventListener('pointermove', (event) => {
  const plot = plotOf(event);
  if (!plot) {
    if (reading.plot) stop(document.getElementById(reading.plot));
    return;
  }
  const box = plot.getBoundingClientRect();
  read(plot, ((event.clientX - box.left) / box.width) * plot.viewBox.baseVal.width);
});
document.addEventListener('focusin', (event) => {
  const plot = plotOf(event);
  if (plot && reading.plot !== plot.id) read(plot, plot.viewBox.baseVal.width);
});
document.addEventListener('focusout', (event) => {
  const plot = plotOf(event);
  if (plot) setTimeout(() => stop(plot));
});
document.addEventListener('keydown', (event) => {
  const plot = plotOf(event);
  const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
  if (!plot || !by) return;
  event.preventDefault();
  step(plot, by);
});
document.addEventListener('htmx:load', () => {
  const plot = reading.plot && document.getElementById(reading.plot);
  if (plot) read(plot, reading.x);
});

// In the form for limits, fields that differ from what is in force are marked.
document.addEventListener('input', ({ target }) => {
  if (target.matches('#limits-form input:not([type=checkbox], #preview-address)')) target.classList.toggle('changed', target.value !== target.defaultValue);
});

// The filter of the configuration looks at everything that a row says.
document.addEventListener('input', ({ target }) => {
  if (target.id !== 'config-filter') return;
  const words = target.value.toLowerCase().split(/\s+/).filter(Boolean);
  document.getElementById('config').classList.toggle('filtering', words.length > 0);
  for (const group of document.querySelectorAll('.settings tbody')) {
    let found = false;
    for (const row of group.querySelectorAll('.setting')) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      found ||= !row.hidden;
    }
    group.classList.toggle('found', words.length > 0 && found);
  }
});
