// Where other modules join in. Both functions may be called at any time.
//
// An action is a button of the focused result, on the start page and in the
// gallery: <button data-action="NAME"> in templates/fragment/stage.html, hidden
// until it is registered.
//
//   registerAction('correct', async ({ photo, result, first, subject, notes, replaceResult, place }) => { … }, offered);
//
//   offered        says of an item (see item.js) whether the button is shown for it
//   photo          the original, a Blob; null where it is not known any more
//   readable       the same in a format that this browser can show; null where that is
//                  not known to be one
//   say            (words) shows a sentence below the tools
//   result         the cut-out without background or crop, at full size, a Blob
//   first          the cut-out before the first replaceResult with notes
//   subject        'found', 'unsure' or 'none'
//   notes          what the action stored last with this photo, or null
//   replaceResult  (blob, notes) => Promise: shows another cut-out of the same
//                  size instead, and keeps it and the notes (plain JSON) in the gallery;
//                  null notes mean that this is the first one again
//   place          the stage's element, <article class="stage"> or the gallery's
//                  dialog: the action may add an element of its own while it works
//
// A sender takes a photo instead of this site's server:
//
//   registerSender((card) => null or a promise of what upload.js's send resolves to);
//
// card is { file, name, mode, pane, progress(sentence, percent) }; a sender sets
// card.cancel while it works. The first that does not return null is used.

const actions = new Map();
const senders = [];

export function registerAction(name, run, offered = () => true) {
  actions.set(name, { run, offered });
  dispatchEvent(new Event('extended'));
}

export const actionOf = (name) => actions.get(name);

export function registerSender(sender) {
  senders.push(sender);
}

// sendBy returns the promise of the first sender that takes the card, or null.
export function sendBy(card) {
  for (const sender of senders) {
    const sent = sender(card);
    if (sent) return sent;
  }
  return null;
}
