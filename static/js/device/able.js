// What this device can do by itself. Everything is asked before anything is fetched.

import { t } from '../texts.js';

// A module with one function of one SIMD instruction.
const SIMD = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);

const LEAST = 2; // GB of memory; browsers say no more than that there are 8
const ROOMY = 4;

// unable returns why this device cannot process photos itself, or null.
export function unable() {
  if (!window.isSecureContext || !('caches' in window) || !navigator.locks || !window.OffscreenCanvas) {
    return window.isSecureContext ? t('This browser is too old for it, or blocks site data.') : t('It needs a connection over HTTPS.');
  }
  if (!window.WebAssembly || !WebAssembly.validate(SIMD)) return t('This browser, or the processor, is too old for it (it lacks SIMD).');
  if (navigator.deviceMemory < LEAST) return t('This device has too little memory for it; {least} GB are needed.', { least: LEAST });
  return null;
}

// few is how many input sizes this device uses at most, the smallest first: a small
// device gives a page too little memory for more than one.
export function few() {
  const memory = navigator.deviceMemory ?? (navigator.maxTouchPoints > 1 ? 0 : ROOMY);
  return memory < ROOMY ? 1 : 99;
}
