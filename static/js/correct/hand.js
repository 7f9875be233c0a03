// What mouse, pen and fingers do on the easel. One pointer paints; two fingers
// move and enlarge, as do the wheel, the middle button and the space bar held.

const SLIP = 12; // pixels that a finger may have painted before the second comes

export class Hand {
  #down = new Map(); // pointers on the easel, by id
  #stroke = null; // [x, y, radius] of each point; null while nothing is painted
  #travelled = 0;
  grips = false; // whether pointers move the photo instead of painting

  // tool is { radius(), draws(from, to), painted(points), gave up(), hover(x, y, type) }.
  constructor(easel, view, tool) {
    Object.assign(this, { easel, view, tool });
    const on = (name, listen) => easel.addEventListener(name, listen);
    on('pointerdown', (event) => this.#press(event));
    on('pointermove', (event) => this.#move(event));
    for (const name of ['pointerup', 'pointercancel']) on(name, (event) => this.#lift(event, name === 'pointerup'));
    on('pointerleave', () => tool.hover(null));
    on('wheel', (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      if (event.shiftKey) view.pan(-(event.deltaX || event.deltaY) * lines, 0);
      else view.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX, event.clientY);
    }, { passive: false });
  }

  get painting() {
    return this.#stroke !== null;
  }

  #press(event) {
    if (event.button > 1) return;
    event.preventDefault();
    this.easel.focus({ preventScroll: true });
    this.easel.setPointerCapture(event.pointerId);
    this.#down.set(event.pointerId, event);
    if (this.#down.size > 1) {
      // A second finger: what the first has painted was a slip, or stays.
      if (this.#stroke) this.#end(this.#travelled > SLIP);
      return;
    }
    if (this.grips || event.button === 1) return;
    this.#travelled = 0;
    this.#stroke = [this.#point(event)];
    this.tool.draws(this.#stroke[0], this.#stroke[0]);
  }

  #move(event) {
    this.tool.hover(event.clientX, event.clientY, event.pointerType);
    const before = this.#down.get(event.pointerId);
    if (!before) return;
    if (this.#stroke) {
      this.#travelled += Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY);
      this.#down.set(event.pointerId, event);
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) {
        const next = this.#point(each);
        this.tool.draws(this.#stroke.at(-1), next);
        this.#stroke.push(next);
      }
      return;
    }
    const [a, b] = this.#pair();
    this.#down.set(event.pointerId, event);
    const [c, d] = this.#pair();
    const middle = ([p, q]) => [(p.clientX + q.clientX) / 2, (p.clientY + q.clientY) / 2];
    const span = ([p, q]) => Math.hypot(p.clientX - q.clientX, p.clientY - q.clientY) || 1;
    const [from, to] = [middle([a, b]), middle([c, d])];
    this.view.zoom(a === b ? 1 : span([c, d]) / span([a, b]), ...from, to[0] - from[0], to[1] - from[1]);
  }

  #lift({ pointerId }, done) {
    if (this.#down.delete(pointerId) && this.#stroke) this.#end(done);
  }

  #end(done) {
    const points = this.#stroke;
    this.#stroke = null;
    if (done) this.tool.painted(points);
    else this.tool.dropped();
  }

  // pair returns the first two pointers, twice the first where there is one.
  #pair() {
    const [first, second = first] = this.#down.values();
    return [first, second];
  }

  #point({ clientX, clientY, pointerType, pressure }) {
    const press = pointerType === 'pen' ? 0.3 + 0.9 * pressure : 1;
    return [...this.view.at(clientX, clientY), (this.tool.radius() * press) / this.view.unit];
  }
}
