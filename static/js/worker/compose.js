// Puts a background behind a cut-out and encodes the whole.

const BLUR = 0.025; // of the long side

// compose answers a Blob of type. backdrop is { kind, colour, picture }: kind is
// "none", "white", "black", "colour", "blur" (needs original) or "picture".
export async function compose({ cutout, original, backdrop, type }) {
  const subject = await createImageBitmap(cutout);
  const canvas = new OffscreenCanvas(subject.width, subject.height);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  await paintBackdrop(context, backdrop, original, type);
  context.drawImage(subject, 0, 0);
  subject.close();
  const blob = await canvas.convertToBlob({ type, quality: 0.92 });
  if (blob.type !== type) throw new Error('This browser cannot write that format. Choose PNG instead.');
  return blob;
}

// paintBackdrop fills the canvas; only a JPEG needs something behind "none".
export async function paintBackdrop(context, { kind, colour, picture }, original, type) {
  const { width, height } = context.canvas;
  if (kind === 'blur') {
    await paintBlur(context, original);
  } else if (kind === 'picture') {
    const bitmap = await createImageBitmap(picture);
    cover(context, bitmap);
    bitmap.close();
  } else {
    const fill = { white: '#fff', black: '#000', colour }[kind] ?? (type === 'image/jpeg' ? '#fff' : null);
    if (!fill) return;
    context.fillStyle = fill;
    context.fillRect(0, 0, width, height);
  }
}

// cover fills the canvas with the middle of a picture.
function cover(context, bitmap) {
  const { width, height } = context.canvas;
  const scale = Math.max(width / bitmap.width, height / bitmap.height);
  const [w, h] = [bitmap.width * scale, bitmap.height * scale];
  context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
}

// paintBlur blurs a small copy and scales it up: every browser can, at any size.
async function paintBlur(context, original) {
  const bitmap = await createImageBitmap(original);
  const side = 256;
  const scale = side / Math.max(bitmap.width, bitmap.height);
  const small = new OffscreenCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
  const inside = small.getContext('2d', { willReadFrequently: true });
  inside.imageSmoothingQuality = 'high';
  inside.drawImage(bitmap, 0, 0, small.width, small.height);
  bitmap.close();
  const image = inside.getImageData(0, 0, small.width, small.height);
  for (let pass = 0; pass < 3; pass += 1) boxBlur(image, Math.round(side * BLUR));
  inside.putImageData(image, 0, 0);
  context.drawImage(small, 0, 0, context.canvas.width, context.canvas.height);
}

// boxBlur averages over 2r+1 samples in both directions; three passes come
// close to a Gaussian. Edges repeat the outermost sample.
function boxBlur({ data, width, height }, r) {
  const copy = new Uint8ClampedArray(data.length);
  line(data, copy, width, height, 4, width * 4, r);
  line(copy, data, height, width, width * 4, 4, r);
}

function line(from, to, length, lines, step, stride, r) {
  for (let l = 0; l < lines; l += 1) {
    for (let c = 0; c < 4; c += 1) {
      const at = (i) => from[l * stride + Math.min(length - 1, Math.max(0, i)) * step + c];
      let sum = 0;
      for (let i = -r; i <= r; i += 1) sum += at(i);
      for (let i = 0; i < length; i += 1) {
        to[l * stride + i * step + c] = sum / (2 * r + 1);
        sum += at(i + r + 1) - at(i - r);
      }
    }
  }
}
