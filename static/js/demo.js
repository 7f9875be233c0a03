// The front page's before and after, which follows the pointer, and the sample
// photos.

export function demo(figure, take) {
  const range = figure.querySelector('input');
  const show = (percent) => {
    figure.classList.add('held');
    range.value = percent;
    figure.style.setProperty('--at', `${range.value}%`);
  };
  range.addEventListener('input', () => show(range.value));
  range.addEventListener('pointermove', ({ pointerType, offsetX }) => {
    if (pointerType === 'mouse') show((100 * offsetX) / range.clientWidth);
  });
  document.querySelector('.samples').addEventListener('click', async (event) => {
    const link = event.target.closest('a[download]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const blob = await (await fetch(link.href)).blob();
      take([new File([blob], link.download, { type: blob.type })]);
    } catch {
      location.assign(link.href);
    }
  });
}
