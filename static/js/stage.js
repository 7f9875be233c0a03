// The focus view: one picture with its tools, on the start page and in the
// gallery's dialog. It shows one item after another; what is chosen is the
// item's own style.

import { Backdrops } from './backdrops.js';
import { download } from './download.js';
import { actionOf } from './extend.js';
import { Subject } from './subject.js';
import { dressed, render } from './style.js';
import { t } from './texts.js';
import { Viewer } from './viewer.js';
import { bytes, fileName, number } from './words.js';

const SETTLE = 250; // milliseconds without a change before the file is prepared

export class Stage {
  item = null;

  // article holds templates/fragment/stage.html. host is { styled(item), replace(item,
  // blob, changes), actions, alike }: styled is called after each choice; actions
  // are the page's own, by name, { run(item), offered(item) }; alike applies the
  // item's style to all, where the page has several.
  constructor(article, host) {
    this.article = article;
    this.host = host;
    this.viewer = new Viewer(article.querySelector('.viewer'), ({ width, height }) => {
      article.querySelector('.facts .size').textContent = `${width} × ${height}`;
    });
    const say = (words, instead) => this.say(words, instead);
    this.backdrops = new Backdrops(article, { say, changed: (background) => this.#choose({ background }) });
    this.subject = new Subject(article, this.viewer, { say, changed: (choice) => this.#choose(choice) });
    this.type = article.querySelector('[name="type"]');
    this.type.addEventListener('change', () => this.#choose({ type: this.type.value }));
    article.addEventListener('click', (event) => this.#act(event));
    article.querySelector('[data-act="copy"]').hidden = !(window.ClipboardItem && navigator.clipboard?.write);
    article.querySelector('[data-act="share"]').hidden = !canShare();
    addEventListener('extended', () => this.offer());
  }

  show(item) {
    const { article } = this;
    this.item = item;
    this.say('');
    article.querySelector('.name').textContent = item.name;
    article.querySelector('.took').textContent = item.took ? ` · ${t('{n} s', { n: number(item.took) })}` : '';
    this.viewer.show(item);
    this.offer();
    this.restyle();
  }

  // restyle shows the item's style after somebody else has changed it.
  restyle() {
    const { item } = this;
    this.type.value = item.style.type;
    this.backdrops.show(item);
    this.subject.show(item);
    this.#prepare();
  }

  // say shows a sentence below the tools; with instead, only where that one is.
  say(words, instead) {
    const line = this.article.querySelector('.said');
    if (instead === undefined || line.textContent === instead) line.textContent = words;
  }

  #choose(choice) {
    const { item } = this;
    item.style = { ...item.style, ...choice };
    item.taken = false;
    this.restyle();
    this.host.styled(item);
  }

  // prepare makes the file as chosen, shows its size, and gives it to the
  // browser to drag, copy and save.
  async #prepare() {
    const { item, viewer } = this;
    const { style, file } = item;
    const current = () => this.item === item && item.style === style && item.file === file;
    const weight = this.article.querySelector('.weight');
    weight.textContent = '';
    viewer.grip(null, '');
    if (dressed(style)) await new Promise((done) => setTimeout(done, SETTLE));
    if (!current()) return;
    try {
      const blob = await outputOf(item);
      if (!current()) return;
      weight.textContent = bytes(blob.size);
      viewer.grip(blob, fileName(item.name, blob.type));
    } catch {
      // Saving tries again, and says what is wrong.
    }
  }

  // offer shows the actions that there are for the item now.
  offer() {
    const { article, item, host } = this;
    if (!item) return;
    for (const button of article.querySelectorAll('[data-action]')) {
      const own = host.actions?.[button.dataset.action];
      button.hidden = !(own ?? actionOf(button.dataset.action))?.offered(item);
    }
    article.querySelector('[data-action="correct"]').classList.toggle('primary', item.subject !== 'found');
    const words = article.querySelector('.nothing');
    words.textContent = doubts(item, (name) => !article.querySelector(`[data-action="${name}"]`)?.hidden);
    words.hidden = !words.textContent;
  }

  async #act({ target }) {
    const button = target.closest('[data-act], [data-action]');
    if (!button) return;
    const { act, action } = button.dataset;
    try {
      if (action) await this.#run(action);
      else await this[`${act}Item`]?.(this.item);
    } catch (error) {
      this.say(error.name === 'AbortError' ? '' : t('That did not work. {reason}', { reason: t(error.message) }));
    }
  }

  #run(name) {
    const { item, host } = this;
    const own = host.actions?.[name];
    if (own) return own.run(item);
    const first = item.first ?? item.file;
    return actionOf(name)?.run({
      photo: item.original, readable: item.readable ?? (item.before && item.original), result: item.file, first, subject: item.subject, notes: item.notes[name] ?? null, place: this.article,
      say: (words) => this.say(words),
      replaceResult: (blob, notes = null) => host.replace(item, blob, { first: notes && first, notes: { ...item.notes, [name]: notes } }),
    });
  }

  async saveItem(item) {
    this.say(t('Preparing the file'));
    const blob = await outputOf(item);
    download(fileName(item.name, blob.type), blob);
    item.taken = true;
    this.say('');
  }

  async copyItem(item) {
    // The promise goes in whole: Safari wants the write within the click.
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': render(item, 'image/png') })]);
    this.say(t('Copied'));
  }

  async shareItem(item) {
    const blob = await outputOf(item);
    await navigator.share({ files: [new File([blob], fileName(item.name, blob.type), { type: blob.type })] });
  }

  alikeItem(item) {
    this.host.alike?.(item);
  }
}

// outputOf resolves to the item's file as chosen, made once for each choice.
export function outputOf(item) {
  const { style, file } = item;
  if (item.output?.style !== style || item.output.file !== file) {
    const blob = render(item);
    item.output = { style, file, blob };
    blob.catch(() => {
      item.output = null;
    });
  }
  return item.output.blob;
}

// doubts explains that a result may be wrong, and what can be done.
function doubts({ subject }, offers) {
  if (subject !== 'unsure' && subject !== 'none') return '';
  const none = subject === 'none';
  const doubt = none ? t('No subject was found in this photo, so the result is empty or nearly so.') : t('It was hard to tell what belongs to the subject here. Check the result.');
  const ways = {
    both: t('If it is wrong, try Best, or correct it by hand.'),
    best: t('If it is wrong, try Best.'),
    correct: t('If it is wrong, correct it by hand.'),
    neither: none ? t('A photo where the subject stands out more works better.') : '',
  };
  const [best, correct] = [offers('best'), offers('correct')];
  return `${doubt} ${ways[best && correct ? 'both' : best ? 'best' : correct ? 'correct' : 'neither']}`.trim();
}

function canShare() {
  try {
    return navigator.canShare?.({ files: [new File(['x'], 'x.png', { type: 'image/png' })] }) ?? false;
  } catch {
    return false;
  }
}
