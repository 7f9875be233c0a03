// Which part of a picture is shown: a crop, or a canvas that reaches beyond it.

// frame adds a margin around a subject's bounds, { left, top, width, height }:
// a share of their longer side, as far as the picture reaches. Without bounds it
// is the whole picture.
export function frame(bounds, margin, { width, height }) {
  if (!bounds) return { left: 0, top: 0, width, height };
  const grow = Math.round(margin * Math.max(bounds.width, bounds.height));
  const left = Math.max(0, bounds.left - grow);
  const top = Math.max(0, bounds.top - grow);
  return {
    left, top,
    width: Math.min(width, bounds.left + bounds.width + grow) - left,
    height: Math.min(height, bounds.top + bounds.height + grow) - top,
  };
}

// FREE is the kind of a canvas that is the subject and its margin. The other kinds are
// an aspect, such as 4:5, and a size, such as 2000x2000.
export const FREE = 'free';

export const isFrame = (kind) => kind === '' || kind === FREE || /^\d{1,5}(\.\d+)?:\d{1,5}(\.\d+)?$|^[1-9]\d{0,4}x[1-9]\d{0,4}$/.test(kind);

// shapeOf returns the kind for a smaller copy: the shape of a size.
export const shapeOf = (kind) => kind.replace('x', ':');

// canvas works out a canvas, as the server's compose.Arrange does: { width, height,
// across, down }. across and down are { at, scale, zero }: a pixel v of the picture comes
// to at + scale * (v - zero). body is the subject's, null for the whole picture.
export function canvas(kind, margin, body, whole) {
  const box = body ?? { left: 0, top: 0, width: whole.width, height: whole.height };
  const cutOff = box.top + box.height === whole.height; // it stands on the canvas's border
  const grow = (body ? margin : 0) * Math.max(box.width, box.height);
  let width = box.width + 2 * grow;
  let height = box.height + (cutOff ? 1 : 2) * grow;
  let scale = 1;
  const [a, b] = kind.split(/[x:]/).map(Number);
  if (kind.includes('x')) {
    scale = Math.min(a / width, b / height);
    [width, height] = [a, b];
  } else {
    if (kind !== FREE) [width, height] = [Math.max(width, height * (a / b)), Math.max(height, width / (a / b))];
    [width, height] = [Math.max(1, Math.round(width)), Math.max(1, Math.round(height))];
  }
  let left = (width - scale * box.width) / 2;
  let top = cutOff ? height - scale * box.height : (height - scale * box.height) / 2;
  if (scale === 1) [left, top] = [Math.floor(left), Math.floor(top)]; // pixels stay as they are
  return { width, height, across: { at: left, scale, zero: box.left }, down: { at: top, scale, zero: box.top } };
}

// partOf returns the canvas in the picture's own pixels, as frame returns a crop.
export function partOf({ width, height, across, down }) {
  return {
    left: across.zero - across.at / across.scale, top: down.zero - down.at / down.scale,
    width: width / across.scale, height: height / down.scale, canvas: { width, height },
  };
}
