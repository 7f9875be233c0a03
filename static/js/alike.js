// Copies one card's choices to the others.

// alike sets an article's tools as those of another, the model.
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
