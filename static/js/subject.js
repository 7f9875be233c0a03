// Cropping to the subject, and the shadow under it. The page shows both without
// making a new picture: the crop by where it places the view, the shadow by a
// small picture of it, stretched between background and view.

import { layer } from './blobs.js';
import { frame } from './frame.js';
import { studio } from './studio.js';

const NO_GROUND = 'No room for a shadow: the subject touches the bottom edge.';

export class Subject {
  #item = null;
  #busy = false;

  // changed is called with { margin, shadow } when a visitor has chosen them.
  constructor(article, viewer, { say, changed }) {
    const box = article.querySelector('.subject');
    [this.crop, this.margin, this.shadow, this.strength] = ['crop', 'margin', 'shadow', 'strength'].map((name) => box.querySelector(`[name="${name}"]`));
    this.viewer = viewer;
    this.plate = viewer.plate;
    this.say = say;
    box.addEventListener('input', () => changed({
      margin: this.crop.checked ? Number(this.margin.value) / 100 : null,
      shadow: this.shadow.checked ? Number(this.strength.value) / 100 : 0,
    }));
  }

  // show sets the controls to an item's style, and shows it.
  show(item) {
    if (item !== this.#item) this.plate.querySelector('.cast')?.remove();
    this.#item = item;
    const { margin, shadow } = item.style;
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
    this.viewer.place(whole.width, whole.height, frame(style.margin === null ? null : survey?.bounds, style.margin, whole));
    this.plate.style.setProperty('--cast', style.shadow);
    if (survey && !survey.cast && style.shadow > 0) this.say(NO_GROUND);
    else this.say('', NO_GROUND);
  }

  // survey finds bounds and shadow, once per cut-out and, as bounds reach as far
  // as the shadow shows, for each strength; while the slider moves, at its own pace.
  async #survey() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (;;) {
        const item = this.#item;
        const { margin, shadow } = item.style;
        const known = item.survey?.of === item.file ? item.survey : null;
        const lacking = (margin !== null && known?.shadow !== shadow) || (shadow > 0 && !known);
        if (lacking) item.survey = { of: item.file, shadow, ...await studio('survey', { cutout: item.file, shadow }) };
        if (item !== this.#item) continue;
        if (lacking) this.#arrange();
        if (item.survey?.cast && shadow > 0 && !this.plate.querySelector('.cast')) await this.#lie(item);
        if (item === this.#item && item.style.margin === margin && item.style.shadow === shadow) return;
      }
    } catch (error) {
      this.say(`That did not work. ${error.message}`);
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
