// Messages above the cards that concern the whole page, each shown once until
// it is dismissed. An action is a link (href) or what a click does (run). notice
// returns the message's element where it is new.

import { t } from './texts.js';

export function notice(key, sentence, action) {
  const place = document.getElementById('notices');
  if (!place || place.querySelector(`[data-key="${key}"]`)) return null;
  const box = document.createElement('div');
  box.className = 'notice';
  box.dataset.key = key;
  const words = document.createElement('p');
  words.textContent = sentence;
  box.append(words);
  if (action) {
    const act = document.createElement(action.href ? 'a' : 'button');
    act.className = 'button';
    act.textContent = action.label;
    if (action.href) act.href = action.href;
    else {
      act.type = 'button';
      act.addEventListener('click', () => {
        box.remove();
        action.run();
      });
    }
    box.append(act);
  }
  const dismiss = document.createElement('button');
  dismiss.type = 'button';
  dismiss.className = 'button quiet';
  dismiss.textContent = t('Dismiss');
  dismiss.addEventListener('click', () => box.remove());
  box.append(dismiss);
  place.append(box);
  return box;
}

export function withdraw(key) {
  document.querySelector(`#notices [data-key="${key}"]`)?.remove();
}
