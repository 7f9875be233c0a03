// What a visitor has chosen, in localStorage. Browsers that block site data
// throw on first access; the site then works with the defaults.

const PREFIX = 'setting.';

export const settings = {
  available: works(),

  get(name) {
    return this.available ? localStorage.getItem(PREFIX + name) : null;
  },

  set(name, value) {
    if (!this.available) return false;
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
    return true;
  },
};

function works() {
  try {
    localStorage.getItem(PREFIX);
    return true;
  } catch {
    return false;
  }
}
