// One card's choices for others: what its controls say, theirs say then.

// alike makes an article's tools say what those of another say.
export function alike(article, model) {
  const [own, other] = [article, model].map((one) => [...one.querySelectorAll('.tools :is(input, select)')]);
  own.forEach((control, i) => {
    if (control.type === 'file') control.files = other[i].files;
    else if (control.type === 'radio' || control.type === 'checkbox') control.checked = other[i].checked && !control.disabled;
    else control.value = other[i].value;
  });
  own.find(({ type, checked }) => type === 'radio' && checked)?.dispatchEvent(new Event('change'));
  own.find(({ name }) => name === 'crop').dispatchEvent(new Event('input'));
}
