// Messages above the cards that concern the whole page, each shown once until
// it is dismissed.

export function notice(key, sentence, action) {
  const place = document.getElementById('notices');
  if (!place || place.querySelector(`[data-key="${key}"]`)) return;
  const box = document.createElement('div');
  box.className = 'notice';
  box.dataset.key = key;
  const words = document.createElement('p');
  words.textContent = sentence;
  box.append(words);
  if (action) {
    const link = document.createElement('a');
    link.className = 'button';
    link.href = action.href;
    link.textContent = action.label;
    box.append(link);
  }
  const dismiss = document.createElement('button');
  dismiss.type = 'button';
  dismiss.className = 'button quiet';
  dismiss.textContent = 'Dismiss';
  dismiss.addEventListener('click', () => box.remove());
  box.append(dismiss);
  place.append(box);
}

export function withdraw(key) {
  document.querySelector(`#notices [data-key="${key}"]`)?.remove();
}
