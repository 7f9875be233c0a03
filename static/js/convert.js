// Pictures that the server can read and this browser cannot, such as HEIC in most.

import { post } from './post.js';
import { studio } from './studio.js';
import { t } from './texts.js';

const FOREIGN = /\.(heic|heif|avif|tiff?)$/i;

// shown resolves to a picture that this browser can show: the file itself or,
// after saying so, what the server makes of it. It is laid over itself there, so
// that the answer is the whole photo; that counts as one photo.
export async function shown(file, say) {
  try {
    await studio('view', { photo: file });
    return file;
  } catch (error) {
    if (!FOREIGN.test(file.name) && !/hei[cf]|avif|tiff/.test(file.type)) throw error;
  }
  say(t('This browser can’t open that file, so the server converts it'));
  const response = await post({ mode: 'fast', format: 'jpeg', image: file, background: file });
  const blob = await response.blob();
  if (!response.ok || blob.type !== 'image/jpeg') throw new Error('It could not be converted.');
  return blob;
}
