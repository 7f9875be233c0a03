// Texts in the page's language. An English text is its own key; the page holds what
// scripts say in its language (see package texts).

const page = globalThis.document;
const language = page?.documentElement.lang || 'en';
const texts = JSON.parse(page?.getElementById('texts')?.textContent || '{}');
const rules = new Intl.PluralRules(language);

// locale is the visitor's own way to write the page's language. Digits are those of the
// texts that the server has written.
export const locale = new Intl.Locale((page && navigator.languages?.find((own) => own.split('-')[0] === language.split('-')[0])) || language, { numberingSystem: 'latn' });

// steps are how far the arrow keys go in a row that is read in the page's direction.
export const steps = page?.documentElement.dir === 'rtl' ? { ArrowLeft: 1, ArrowRight: -1 } : { ArrowLeft: -1, ArrowRight: 1 };

// t puts a text into the page's language, with values for the words in braces; n picks
// the plural form.
export function t(text, values = {}) {
  const found = texts[text] ?? text;
  const form = typeof found === 'string' ? found : found[rules.select(values.n)] ?? found.other;
  return form.replace(/\{(\w+)\}/g, (word, name) => values[name] ?? word);
}

// to is where one of the site's pages is in the page's language.
export function to(address) {
  if (language === 'en') return address;
  const tag = language.toLowerCase();
  if (!address.startsWith('/device/')) return `/${tag}${address}`;
  return `${address}${address.includes('?') ? '&' : '?'}lang=${tag}`;
}
