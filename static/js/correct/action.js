// Offers the correction of results; what it takes is loaded when it is wanted.

import { registerAction } from '../extend.js';

registerAction('correct', async (task) => {
  const { correct } = await import('./editor.js');
  return correct(task);
}, ({ original }) => Boolean(original) && 'WebAssembly' in window);
