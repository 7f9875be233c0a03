// Saves results in the gallery as they arrive, and says so when that fails, so
// that nothing is lost silently.

import { notice } from './notices.js';
import { settings } from './settings.js';
import { list, persist, save, trouble } from './store.js';
import { t, to } from './texts.js';

const WORDS = {
  insecure: t('The gallery needs a secure address (https). On this one, results stay only until you leave the page: download them.'),
  blocked: t('Your browser blocks site data, so results can’t be kept in the gallery. Download them before you leave the page.'),
  full: t('The browser has no space left for this site, so this result was not kept in the gallery. Download it, or delete some pictures there.'),
};

// keep resolves to the id of the item's entry in the gallery, or null.
export async function keep(item) {
  if (settings.get('gallery') === 'off') return null;
  const why = await trouble();
  if (why) {
    notice('gallery', WORDS[why]);
    return null;
  }
  try {
    const first = !list().length;
    const { id } = await save(item);
    if (first) await persist();
    return id;
  } catch (error) {
    notice('gallery', error.name === 'QuotaExceededError' ? WORDS.full : `${WORDS.blocked} (${error.message})`, { href: to('/gallery'), label: t('Gallery') });
    return null;
  }
}
