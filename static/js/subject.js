// Cropping to the subject, the canvas around it, and the shadow under it. The page shows both without
// making a new picture: the crop by where it places the view, the shadow by a
// small picture of it, stretched between background and view.

import { layer } from './blobs.js';
import { canvas, frame, partOf } from './frame.js';
import { studio } from './studio.js';
import { t } from './texts.js';

const USUAL = 9; // per cent of space on a canvas
const NO_GROUND = t('No room for a shadow: the subject touches the bottom edge.');

export class Subject {
  #item = null;
  #busy = false;

  // changed is called with { margin, frame, shadow } when a visitor has chosen them.
  constructor(article, viewer, { say, changed }) {
    const box = article.querySelector('.subject');
    [this.crop, this.margin, this.frame, this.shadow, this.strength] = ['crop', 'margin', 'frame', 'shadow', 'strength'].map((name) => box.querySelector(`[name="${name}"]`));
    this.viewer = viewer;
    this.plate = viewer.plate;
    this.say = say;
    box.addEventListener('input', ({ target }) => {
      if (target === this.frame && this.frame.value && !this.crop.checked) {
        [this.crop.checked, this.margin.value] = [true, USUAL]; // a canvas is around the subject
      }
      if (!this.crop.checked) this.frame.value = '';
      changed({
        margin: this.crop.checked ? Number(this.margin.value) / 100 : null,
        frame: this.frame.value,
        shadow: this.shadow.checked ? Number(this.strength.value) / 100 : 0,
      });
    });
  }

  // show sets the controls to an item's style, and shows it.
  show(item) {
    if (item !== this.#item) this.plate.querySelector('.cast')?.remove();
    this.#item = item;
    const { margin, frame: kind = '', shadow } = item.style;
    this.frame.value = kind;
    if (this.frame.value !== kind) this.frame.add(new Option(kind, kind, false, true)); // of another release
    this.crop.checked = margin !== null;
    if (margin !== null) this.margin.value = Math.round(100 * margin);
    this.shadow.checked = shadow > 0;
    if (shadow > 0) this.strength.value = Math.round(100 * shadow);
    for (const [box, slider] of [[this.crop, this.margin], [this.shadow, this.strength]]) {
      slider.parentElement.hidden = !box.checked;
      slider.nextElementSibling.textContent = `${slider.value} %`;
    }
    this.#arrange();
    return this.#survey();
  }

  #arrange() {
    const { survey, style } = this.#item;
    const whole = survey ?? this.#item;
    const part = style.frame && survey ? partOf(canvas(style.frame, style.margin, survey.body, whole))
      : frame(style.margin === null ? null : survey?.bounds, style.margin, whole);
    this.viewer.place(whole.width, whole.height, part);
    this.plate.style.setProperty('--cast', style.shadow);
    if (survey && !survey.cast && style.shadow > 0) this.say(NO_GROUND);
    else this.say('', NO_GROUND);
  }

  // survey finds bounds and shadow, once per cut-out and, as bounds reach as far
  // as the shadow shows, for each strength, and as it falls on a canvas, for each of
  // these; while the slider moves, at its own pace.
  async #survey() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (;;) {
        const item = this.#item;
        const { margin, frame: kind = '', shadow } = item.style;
        const known = item.survey?.of === item.file ? item.survey : null;
        const lacking = ((margin !== null || shadow > 0) && !known) || (known && (known.kind !== kind || known.shadow !== shadow || (kind && known.margin !== margin)));
        if (lacking) item.survey = { of: item.file, shadow, kind, margin, ...await studio('survey', { cutout: item.file, shadow, frame: kind, margin }) };
        if (item !== this.#item) continue;
        if (lacking) {
          this.#arrange();
          if (kind || known?.kind) this.plate.querySelector('.cast')?.remove();
        }
        if (item.survey?.cast && shadow > 0 && !this.plate.querySelector('.cast')) await this.#lie(item);
        if (item === this.#item && item.style.margin === margin && (item.style.frame ?? '') === kind && item.style.shadow === shadow) return;
      }
    } catch (error) {
      this.say(t('That did not work. {reason}', { reason: t(error.message) }));
    } finally {
      this.#busy = false;
    }
  }

  // lie lays the shadow under the view.
  async #lie(item) {
    const { picture, across, down } = item.survey.cast;
    const cast = await layer(picture, 'cast');
    if (item !== this.#item) return;
    this.plate.style.setProperty('--across', across);
    this.plate.style.setProperty('--down', down);
    this.plate.querySelector('.cast')?.remove();
    this.plate.querySelector('.after').before(cast);
  }
}
