// Where the photo lies on the easel: fitted, enlarged, moved. Only a transform
// changes, so that moving costs the page's thread nothing.

const MOST = 4; // pixels of the page for one of the photo

export class View {
  scale = 1; // 1 fits
  #x = 0;
  #y = 0;

  // sheet holds the layers and lies in easel; moved is called after each change.
  constructor(easel, sheet, moved) {
    this.easel = easel;
    this.sheet = sheet;
    this.moved = moved;
    new ResizeObserver(() => this.fit()).observe(easel);
  }

  show({ width, height }) {
    this.photo = { width, height };
    this.fit();
  }

  fit() {
    if (!this.photo) return;
    const { clientWidth, clientHeight } = this.easel;
    const { width, height } = this.photo;
    const { left, top } = this.easel.getBoundingClientRect();
    this.origin = { left, top };
    // Tiny photos are shown larger, so that there is something to paint on.
    const fit = Math.min(clientWidth / width, clientHeight / height, MOST);
    this.width = Math.max(1, width * fit);
    this.height = Math.max(1, height * fit);
    this.sheet.style.width = `${this.width}px`;
    this.sheet.style.height = `${this.height}px`;
    this.most = Math.max(1, MOST / fit);
    this.#to(1, 0, 0);
  }

  // to moves by so many pixels and enlarges around a place of the page.
  zoom(factor, clientX, clientY, across = 0, down = 0) {
    const scale = Math.max(1, Math.min(this.most, this.scale * factor));
    const { left, top } = this.origin;
    const [x, y] = [clientX - left, clientY - top];
    const grow = scale / this.scale;
    this.#to(scale, x - (x - this.#x) * grow + across, y - (y - this.#y) * grow + down);
  }

  // step enlarges around the middle.
  step(factor) {
    const { left, top } = this.origin;
    this.zoom(factor, left + this.easel.clientWidth / 2, top + this.easel.clientHeight / 2);
  }

  pan(across, down) {
    this.#to(this.scale, this.#x + across, this.#y + down);
  }

  // A photo larger than the easel covers it; a smaller one is in its middle.
  #to(scale, x, y) {
    const hold = (at, size, room) => (size <= room ? (room - size) / 2 : Math.max(room - size, Math.min(0, at)));
    this.scale = scale;
    this.#x = hold(x, this.width * scale, this.easel.clientWidth);
    this.#y = hold(y, this.height * scale, this.easel.clientHeight);
    this.sheet.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${scale})`;
    this.moved();
  }

  // unit is how many pixels of the page the photo's longer side has.
  get unit() {
    return Math.max(this.width, this.height) * this.scale;
  }

  // at returns a place of the page in shares of the photo's longer side.
  at(clientX, clientY) {
    const { left, top } = this.origin;
    return [(clientX - left - this.#x) / this.unit, (clientY - top - this.#y) / this.unit];
  }

  // on returns such a place in pixels of the easel.
  on(x, y) {
    return [x * this.unit + this.#x, y * this.unit + this.#y];
  }
}
