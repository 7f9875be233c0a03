// Reads pictures a few rows at a time, so that a large photo lies in memory
// only once, and finds places on grids that average blocks of pixels. These
// and the modules beside it do with a cut-out what the server's core/compose
// does: its documentation states the formulas.

const AT_ONCE = 1 << 18; // pixels

// rowsOf returns a function that reads rows [from, to) of the columns [left,
// left + width) as ImageData: R, G, B, A, not premultiplied.
export function rowsOf(bitmap, left = 0, width = bitmap.width) {
  let canvas;
  let context;
  return (from, to) => {
    if (!canvas || canvas.height < to - from) {
      canvas = new OffscreenCanvas(width, to - from);
      context = canvas.getContext('2d', { willReadFrequently: true });
      context.imageSmoothingEnabled = false;
      context.globalCompositeOperation = 'copy';
    }
    context.drawImage(bitmap, left, from, width, to - from, 0, 0, width, to - from);
    return context.getImageData(0, 0, width, to - from);
  };
}

// strips calls visit(from, to) for all rows, as many at once as memory should
// hold, in multiples of a block.
export function strips(width, height, block, visit) {
  const rows = Math.max(1, Math.floor(AT_ONCE / width / block)) * block;
  for (let from = 0; from < height; from += rows) visit(from, Math.min(height, from + rows));
}

// alphaOf returns { width, height, data }: the alpha of each pixel.
export function alphaOf(bitmap) {
  const { width, height } = bitmap;
  const data = new Uint8Array(width * height);
  const rows = rowsOf(bitmap);
  strips(width, height, 1, (from, to) => {
    const { data: pixels } = rows(from, to);
    for (let i = 3, at = from * width; i < pixels.length; i += 4, at += 1) data[at] = pixels[i];
  });
  return { width, height, data };
}

// shrinkAlpha averages blocks of alpha, to 0 to 1.
export function shrinkAlpha({ width, height, data }, block) {
  const grid = { width: Math.ceil(width / block), height: Math.ceil(height / block) };
  const sums = new Float64Array(grid.width * grid.height);
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor(y / block) * grid.width;
    for (let x = 0; x < width; x += 1) sums[row + Math.floor(x / block)] += data[y * width + x];
  }
  const share = (i, side) => Math.min(side, (i + 1) * block) - i * block;
  grid.data = Float32Array.from(sums, (sum, i) => {
    const area = share(i % grid.width, width) * share(Math.floor(i / grid.width), height);
    return sum / (255 * area);
  });
  return grid;
}

// overWhite averages blocks of pixels, laid over white, of rows read from a
// bitmap: R, G, B of each block, 0 to 1.
export function overWhite({ data, width, height }, block) {
  const columns = Math.ceil(width / block);
  const sums = new Float64Array(3 * columns * Math.ceil(height / block));
  const counts = new Float64Array(sums.length / 3);
  for (let y = 0, p = 0; y < height; y += 1) {
    const row = Math.floor(y / block) * columns;
    for (let x = 0; x < width; x += 1, p += 4) {
      const at = row + Math.floor(x / block);
      const a = data[p + 3];
      const rest = 255 * (255 - a);
      sums[3 * at] += data[p] * a + rest;
      sums[3 * at + 1] += data[p + 1] * a + rest;
      sums[3 * at + 2] += data[p + 2] * a + rest;
      counts[at] += 1;
    }
  }
  return Float32Array.from(sums, (sum, i) => sum / (65025 * counts[Math.floor(i / 3)]));
}

// places returns, for n pixels, the two neighbours among count samples and how
// far along the second is; at says where a pixel lies, samples' centres being
// whole numbers.
export function places(n, count, at) {
  const all = { first: new Int32Array(n), second: new Int32Array(n), t: new Float32Array(n) };
  for (let i = 0; i < n; i += 1) {
    const place = Math.max(0, Math.min(count - 1, at(i)));
    all.first[i] = Math.floor(place);
    all.second[i] = Math.min(all.first[i] + 1, count - 1);
    all.t[i] = place - all.first[i];
  }
  return all;
}
