// Parts are folded on a phone and open on a wide screen; what the operator has opened or
// closed stays so when the page refreshes its parts.

const wide = matchMedia('(min-width: 48rem)');
const opened = new Map(); // by id

function restore(part) {
  for (const details of part.querySelectorAll('details[id]')) {
    if (opened.has(details.id)) details.open = opened.get(details.id);
    else if (wide.matches && details.matches('.fold')) details.open = true;
  }
}

// A link to a part opens it.
function reveal() {
  const fold = document.querySelector(`${location.hash || '#none'} > .fold`);
  if (fold) fold.open = true;
}

document.addEventListener('toggle', ({ target }) => {
  if (target.id) opened.set(target.id, target.open);
}, true);
document.addEventListener('htmx:load', ({ detail }) => restore(detail.elt));
addEventListener('hashchange', reveal);
restore(document);
reveal();
