// The strokes of a correction, as the module takes them and as they are kept.
// A stroke is { keep, literal, points }: points are x, y and radius of each, in
// shares of the photo's longer side.

const UNIT = 20000; // kept as whole numbers of this part of the longer side
const MOST = 60000; // numbers in all strokes together: those may come from a file

export class Strokes {
  list = [];
  undone = [];

  add(stroke) {
    this.list.push(stroke);
    this.undone = [];
  }

  undo() {
    if (this.list.length) this.undone.push(this.list.pop());
  }

  redo() {
    if (this.undone.length) this.list.push(this.undone.pop());
  }

  // notes returns what is kept, null for no strokes.
  notes() {
    const strokes = this.list.map(({ keep, literal, points }) => ({ keep, literal, points: Array.from(points, (v) => Math.round(v * UNIT)) }));
    return strokes.length ? { version: 1, strokes } : null;
  }

  // read takes what was kept; what makes no sense is left out.
  read(notes) {
    let numbers = 0;
    const sound = ({ points } = {}) => Array.isArray(points) && points.length > 0 && points.length % 3 === 0
      && points.every((v) => Number.isInteger(v) && Math.abs(v) <= 2 * UNIT) && (numbers += points.length) <= MOST;
    const strokes = Array.isArray(notes?.strokes) ? notes.strokes.filter((stroke) => stroke && sound(stroke)) : [];
    this.list = strokes.map(({ keep, literal, points }) => strokeOf(Boolean(keep), Boolean(literal), points));
    return this;
  }
}

const strokeOf = (keep, literal, units) => ({ keep, literal, points: Float32Array.from(units, (v) => v / UNIT) });

// drawn makes a stroke of what was drawn, [x, y, radius] each, without the points
// that a straight line replaces to within so much.
export function drawn(keep, literal, points, within) {
  const kept = straighten(points, within).flat();
  return strokeOf(keep, literal, kept.map((v) => Math.max(-2 * UNIT, Math.min(2 * UNIT, Math.round(v * UNIT)))));
}

// straighten is the method of Douglas and Peucker, over places and radii alike.
function straighten(points, within) {
  const keep = new Set([0, points.length - 1]);
  const parts = [[0, points.length - 1]];
  while (parts.length) {
    const [first, last] = parts.pop();
    let [worst, at] = [within, -1];
    for (let i = first + 1; i < last; i += 1) {
      const off = distance(points[i], points[first], points[last]);
      if (off > worst) [worst, at] = [off, i];
    }
    if (at < 0) continue;
    keep.add(at);
    parts.push([first, at], [at, last]);
  }
  return points.filter((_, i) => keep.has(i));
}

function distance(p, a, b) {
  const along = b.map((v, i) => v - a[i]);
  const length = along.reduce((sum, v) => sum + v * v, 0);
  const t = length ? Math.max(0, Math.min(1, p.reduce((sum, v, i) => sum + (v - a[i]) * along[i], 0) / length)) : 0;
  return Math.hypot(...p.map((v, i) => v - a[i] - t * along[i]));
}
