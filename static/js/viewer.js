// The before/after slider of a result: pointer and keys through a range field
// as large as the picture, and three buttons.

// blobSource shows a Blob in an img and releases the previous one.
export function blobSource(img, blob) {
  if (img.src.startsWith('blob:')) URL.revokeObjectURL(img.src);
  img.src = URL.createObjectURL(blob);
}

// layer resolves to an img of a Blob, decoded and ready to show.
export async function layer(blob, className) {
  const img = document.createElement('img');
  img.className = className;
  img.alt = '';
  blobSource(img, blob);
  await img.decode();
  URL.revokeObjectURL(img.src);
  return img;
}

// size makes room for a picture of these pixels, or for a part of it.
export function size(article, width, height, part = { left: 0, top: 0, width, height }) {
  const plate = article.querySelector('.plate');
  const set = (name, value) => plate.style.setProperty(`--${name}`, value);
  const percent = (a, b) => `${(100 * a) / b}%`;
  set('width', part.width);
  set('ratio', part.width / part.height);
  set('left', percent(-part.left, part.width));
  set('top', percent(-part.top, part.height));
  set('wide', percent(width, part.width));
  set('high', percent(height, part.height));
  set('from', percent(part.left, width));
  set('share', part.width / width);
  plate.classList.add('sized');
  article.querySelector('.facts .size').textContent = `${part.width} × ${part.height}`;
}

// compare lays the original over the result; without one the controls stay hidden.
export function compare(article, original) {
  const plate = article.querySelector('.plate');
  const split = plate.querySelector('.split');
  const buttons = [...article.querySelectorAll('[data-view]')];
  plate.querySelector('.before')?.remove();
  for (const part of [split, plate.querySelector('.handle'), article.querySelector('.views')]) part.hidden = !original;
  if (!original) return;
  const before = document.createElement('img');
  before.className = 'before';
  before.alt = 'The original photo';
  before.decoding = 'async';
  blobSource(before, original);
  plate.querySelector('.after').after(before);
  const show = (percent) => {
    split.value = percent;
    split.setAttribute('aria-valuetext', `${percent} % of the original`);
    plate.style.setProperty('--split', `${percent}%`);
    plate.classList.toggle('whole', percent === 0 || percent === 100);
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.view === String(percent)));
  };
  split.oninput = () => show(Number(split.value));
  for (const button of buttons) button.onclick = () => show(Number(button.dataset.view));
  show(0);
}
