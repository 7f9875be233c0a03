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
