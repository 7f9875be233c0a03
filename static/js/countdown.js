// Counts the seconds in <time data-countdown="90"> down, by the clock, so that
// a sleeping tab is right when it wakes.

import { t } from './texts.js';

export function countDown(time, done = () => {}) {
  const end = Date.now() + Number(time.dataset.countdown) * 1000;
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (!time.isConnected || left <= 0) {
      clearInterval(timer);
      if (time.isConnected) {
        time.textContent = t('a moment');
        done();
      }
      return;
    }
    time.textContent = words(left);
  };
  const timer = setInterval(tick, 500);
  tick();
}

function words(seconds) {
  if (seconds < 60) return t('{n} s', { n: seconds });
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n) => String(n).padStart(2, '0');
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
