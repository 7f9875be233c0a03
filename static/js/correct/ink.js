// Wet paint: strokes from the pointer's first touch until the answer to them is
// there, drawn over the easel in its own pixels.

const COLOURS = { keep: '#12b76a', remove: '#f04438' };

export class Ink {
  constructor(canvas, view) {
    this.canvas = canvas;
    this.view = view;
    this.context = canvas.getContext('2d', { desynchronized: true });
  }

  // clear leaves the given strokes, at the easel's present size.
  clear(strokes = []) {
    const { canvas, context } = this;
    const ratio = Math.min(2, devicePixelRatio);
    const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map(Math.round);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    for (const { keep, points } of strokes) {
      for (let i = 0; i < points.length; i += 3) {
        const before = Math.max(0, i - 3);
        this.line(keep, points.slice(before, before + 3), points.slice(i, i + 3));
      }
    }
  }

  // line draws from one [x, y, radius] to the next.
  line(keep, a, b) {
    const { context, view } = this;
    context.strokeStyle = keep ? COLOURS.keep : COLOURS.remove;
    context.lineCap = 'round';
    context.lineWidth = Math.max(2, (a[2] + b[2]) * view.unit);
    context.beginPath();
    context.moveTo(...view.on(a[0], a[1]));
    context.lineTo(...view.on(b[0], b[1]));
    context.stroke();
  }
}
