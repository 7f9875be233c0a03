// Pictures that the page holds, shown in img elements.

// blobSource shows a Blob in an img and releases the previous one.
export function blobSource(img, blob) {
  if (img.src.startsWith('blob:')) URL.revokeObjectURL(img.src);
  if (blob) img.src = URL.createObjectURL(blob);
  else img.removeAttribute('src');
}

// layer resolves to an img of a Blob, decoded and ready to show.
export async function layer(blob, className) {
  const img = document.createElement('img');
  img.className = className;
  img.alt = '';
  blobSource(img, blob);
  await img.decode();
  URL.revokeObjectURL(img.src);
  return img;
}
