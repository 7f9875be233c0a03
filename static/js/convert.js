// Pictures that the pipeline can read and this browser cannot, such as HEIC in most.

import { studio } from './studio.js';
import { t } from './texts.js';

const FOREIGN = /\.(heic|heif|avif|tiff?)$/i;

// shown resolves to a picture that this browser can show: the file itself or, after
// saying so, a copy that the pipeline's own decoders make, in this browser.
export async function shown(file, say) {
  try {
    await studio('view', { photo: file });
    return file;
  } catch (error) {
    if (!FOREIGN.test(file.name) && !/hei[cf]|avif|tiff/.test(file.type)) throw error;
  }
  say(t('This browser can’t show that file by itself, so it is converted first'));
  const { Engine } = await import('./correct/engine.js');
  const engine = new Engine();
  try {
    return await engine.run('readable', { photo: file });
  } finally {
    engine.end();
  }
}
