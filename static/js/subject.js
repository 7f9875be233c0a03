// Cropping to the subject, and the shadow under it. The page shows both without
// making a new picture: the crop by where it places the view, the shadow by a
// small picture of it, stretched between background and view.

import { frame } from './frame.js';
import { studio } from './studio.js';
import { layer, size } from './viewer.js';

const NO_GROUND = 'The subject reaches the bottom edge of the photo, so there is no ground for a shadow.';

// subject wires the controls and returns the choice, { margin, shadow } as
// worker/compose.js wants them, which it keeps up to date.
export function subject(article, item, { say, current }) {
  const box = article.querySelector('.subject');
  const [crop, margin, shadow, strength] = ['crop', 'margin', 'shadow', 'strength'].map((name) => box.querySelector(`[name="${name}"]`));
  const plate = article.querySelector('.plate');
  const choice = { margin: null, shadow: 0 };
  let known = null; // the last survey, and the shadow that its bounds include
  let busy = false;

  const read = () => {
    choice.margin = crop.checked ? Number(margin.value) / 100 : null;
    choice.shadow = shadow.checked ? Number(strength.value) / 100 : 0;
    for (const [box, slider] of [[crop, margin], [shadow, strength]]) {
      slider.parentElement.hidden = !box.checked;
      slider.nextElementSibling.textContent = `${slider.value} %`;
    }
  };
  const arrange = () => {
    const whole = known ?? item;
    size(article, whole.width, whole.height, frame(choice.margin === null ? null : known?.bounds, choice.margin, whole));
    plate.style.setProperty('--cast', choice.shadow);
    if (known && !known.cast) say(shadow.checked ? NO_GROUND : '');
  };
  // Bounds reach as far as the shadow shows, so they are computed again for each
  // shadow; while the slider moves, at the pace of the survey.
  const lacking = () => (choice.margin !== null && known?.shadow !== choice.shadow) || (choice.shadow > 0 && !known);
  const update = async () => {
    read();
    arrange();
    if (busy) return;
    busy = true;
    try {
      while (lacking()) {
        const { shadow: of } = choice;
        const found = await studio('survey', { cutout: item.file, shadow: of });
        const cast = !known && found.cast && await layer(found.cast.picture, 'cast');
        if (!current()) return;
        if (cast) lie(plate, cast, found.cast);
        known = { shadow: of, ...found };
        arrange();
      }
    } catch (error) {
      if (current()) say(`That did not work. ${error.message}`);
    } finally {
      busy = false;
    }
  };
  for (const control of [crop, margin, shadow, strength]) {
    control.checked = false;
    control.value = control.defaultValue;
    control.oninput = update;
  }
  plate.querySelector('.cast')?.remove();
  update();
  return choice;
}

// lie lays the shadow under the view.
function lie(plate, cast, { across, down }) {
  plate.style.setProperty('--across', across);
  plate.style.setProperty('--down', down);
  plate.querySelector('.after').before(cast);
}
