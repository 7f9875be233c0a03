// A graph for tests: a network with every kind of layer, as an ONNX file and in plain
// loops.

// A file of an ONNX graph, from nodes [op, inputs, output, attributes] and constants.
const encoder = new TextEncoder();
const join = (parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const number = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...number(Math.floor(n / 128))]);
const field = (id, value) => (typeof value === 'number'
  ? Uint8Array.from([...number(8 * id), ...number(value)])
  : join([[...number(8 * id + 2), ...number(value.length)], value]));
const text = (id, value) => field(id, encoder.encode(value));

function attribute(name, value) {
  if (typeof value === 'string') return join([text(1, name), text(4, value)]);
  if (Array.isArray(value)) return join([text(1, name), ...value.map((n) => field(8, n))]);
  return join([text(1, name), field(3, value)]);
}

const TYPES = new Map([[Float32Array, 1], [Uint8Array, 2], [Int8Array, 3], [Int32Array, 6], [BigInt64Array, 7]]);
const tensor = (name, values, dims) => join([
  ...dims.map((d) => field(1, d)), field(2, TYPES.get(values.constructor)), text(8, name), field(9, new Uint8Array(values.buffer)),
]);
export const file = (nodes, constants) => field(7, join([
  ...nodes.map(([op, inputs, output, attributes = {}]) => field(1, join([
    ...inputs.map((name) => text(1, name)), text(2, output), text(4, op), ...Object.entries(attributes).map((pair) => field(5, attribute(...pair))),
  ]))),
  ...constants.map((constant) => field(5, tensor(...constant))),
]));

// A network with every kind of layer, and what it computes, in plain loops of floats.
let seed = 1;
export const random = () => {
  seed = (seed * 48271) % 2147483647;
  return seed / 2147483647;
};

export function network(size) {
  const nodes = [];
  const constants = [];
  const steps = {};
  const describe = (name, scale, zero) => {
    constants.push([`${name}/scale`, Float32Array.of(scale), []], [`${name}/zero`, Uint8Array.of(zero), []]);
    nodes.push(['QuantizeLinear', [name, `${name}/scale`, `${name}/zero`], `${name}/q`], ['DequantizeLinear', [`${name}/q`, `${name}/scale`, `${name}/zero`], `${name}/d`]);
    steps[name] = { scale: Math.fround(scale), zero };
    return name;
  };
  const conv = (from, to, ins, outs, { stride = 1, dilation = 1, relu = true, last = false, scale = 0.03, zero = 0 } = {}) => {
    const weights = Int8Array.from({ length: outs * ins * 9 }, () => Math.round(254 * random() - 127));
    const bias = Int32Array.from({ length: outs }, () => Math.round(4000 * random() - 2000));
    const scales = Float32Array.from({ length: outs }, () => (0.4 + random()) * (last ? 0.02 : 0.005) / Math.sqrt(ins));
    constants.push([`${to}/w`, weights, [outs, ins, 3, 3]], [`${to}/s`, scales, [outs]], [`${to}/wz`, new Int8Array(outs), [outs]]);
    constants.push([`${to}/b`, bias, [outs]], [`${to}/bs`, scales.map((s) => s * steps[from].scale), [outs]], [`${to}/bz`, new Int32Array(outs), [outs]]);
    nodes.push(['DequantizeLinear', [`${to}/w`, `${to}/s`, `${to}/wz`], `${to}/wd`, { axis: 0 }], ['DequantizeLinear', [`${to}/b`, `${to}/bs`, `${to}/bz`], `${to}/bd`, { axis: 0 }]);
    nodes.push(['Conv', [`${from}/d`, `${to}/wd`, `${to}/bd`], relu ? `${to}/sum` : to, { kernel_shape: [3, 3], strides: [stride, stride], dilations: [dilation, dilation], pads: Array(4).fill(dilation), group: 1 }]);
    if (relu) nodes.push(['Relu', [`${to}/sum`], to]);
    plain.push((x) => { x[to] = convolved(x[from], { weights, bias: bias.map(Number), scales, outs, stride, dilation, relu, from: steps[from] }); });
    if (!last) quantise(describe(to, scale, zero));
  };
  const plain = [];
  const quantise = (name) => plain.push((x) => { x[name] = bytesOf(x[name], steps[name]); });
  const resize = (from, to, target, scale) => {
    constants.push([`${to}/hw`, BigInt64Array.of(BigInt(target), BigInt(target)), [2]]);
    nodes.push(['Concat', ['unused', `${to}/hw`], `${to}/size`, { axis: 0 }], ['Resize', [scale ? `${from}/d` : from, '', '', `${to}/size`], to, { mode: 'linear', coordinate_transformation_mode: 'half_pixel' }]);
    plain.push((x) => { x[to] = doubled(scale ? numbersOf(x[from], steps[from]) : x[from]); });
    if (scale) quantise(describe(to, scale, steps[from].zero));
  };
  const both = (op, one, two, to, scale, zero, of) => {
    nodes.push([op, [`${one}/d`, `${two}/d`], to, op === 'Concat' ? { axis: 1 } : {}]);
    plain.push((x) => { x[to] = of(numbersOf(x[one], steps[one]), numbersOf(x[two], steps[two])); });
    quantise(describe(to, scale, zero));
  };

  describe('input', 1 / 128, 128);
  conv('input', 'a', 3, 16, { stride: 2, relu: false, zero: 117 });
  conv('a', 'b', 16, 32);
  nodes.push(['MaxPool', ['b/d'], 'c', { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] }]);
  plain.push((x) => { x.c = pooled(numbersOf(x.b, steps.b)); });
  quantise(describe('c', 0.027, 3));
  conv('c', 'd', 32, 48, { dilation: 2, relu: false, zero: 131 });
  resize('d', 'e', size / 2, 0.03);
  both('Concat', 'e', 'b', 'f', 0.034, 0, ({ c, ...rest }, other) => ({ ...rest, c: c + other.c, values: [...rest.values, ...other.values] }));
  conv('f', 'g', 80, 32);
  both('Add', 'g', 'b', 'h', 0.05, 9, (p, q) => ({ ...p, values: p.values.map((v, i) => v + q.values[i]) }));
  conv('h', 'logits', 32, 1, { relu: false, last: true });
  resize('logits', 'large', size);
  nodes.push(['Sigmoid', ['large'], 'output']);
  return { file: file(nodes, constants), run: (input) => {
    const x = { input };
    for (const step of plain) step(x);
    return x.large.values.map((v) => 255 / (1 + Math.exp(-v)));
  } };
}

const clamp = (v) => Math.max(0, Math.min(255, v));
const even = (v) => (v - Math.floor(v) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
const bytesOf = ({ values, ...rest }, { scale, zero }) => ({ ...rest, values: values.map((v) => clamp(even(v / scale) + zero)) });
const numbersOf = ({ values, ...rest }, { scale, zero }) => ({ ...rest, values: values.map((v) => scale * (v - zero)) });

// Pictures are { side, c, values }, in planes.
function convolved({ side, c, values }, { weights, bias, scales, outs, stride, dilation, relu, from }) {
  const to = side / stride;
  const out = [];
  for (let o = 0; o < outs; o += 1) {
    for (let y = 0; y < to; y += 1) {
      for (let x = 0; x < to; x += 1) {
        let sum = bias[o];
        for (let tap = 0; tap < 9; tap += 1) {
          const [v, u] = [stride * y + (Math.floor(tap / 3) - 1) * dilation, stride * x + (tap % 3 - 1) * dilation];
          if (v < 0 || u < 0 || v >= side || u >= side) continue;
          for (let i = 0; i < c; i += 1) sum += weights[(o * c + i) * 9 + tap] * (values[(i * side + v) * side + u] - from.zero);
        }
        out.push(relu ? Math.max(0, sum * scales[o] * from.scale) : sum * scales[o] * from.scale);
      }
    }
  }
  return { side: to, c: outs, values: out };
}

function pooled({ side, c, values }) {
  const at = (plane, y, x) => values[(plane * side + y) * side + x];
  return mapped(side / 2, c, (p, y, x) => Math.max(at(p, 2 * y, 2 * x), at(p, 2 * y, 2 * x + 1), at(p, 2 * y + 1, 2 * x), at(p, 2 * y + 1, 2 * x + 1)));
}

function doubled({ side, c, values }) {
  const at = (plane, y, x) => values[(plane * side + y) * side + x];
  const near = (n) => {
    const place = Math.max(0, (n + 0.5) / 2 - 0.5);
    const before = Math.min(side - 1, Math.floor(place));
    return [before, Math.min(side - 1, before + 1), place - before];
  };
  return mapped(2 * side, c, (p, y, x) => {
    const [top, bottom, down] = near(y);
    const [left, right, across] = near(x);
    return (1 - down) * ((1 - across) * at(p, top, left) + across * at(p, top, right)) + down * ((1 - across) * at(p, bottom, left) + across * at(p, bottom, right));
  });
}

function mapped(side, c, of) {
  const values = [];
  for (let p = 0; p < c; p += 1) for (let y = 0; y < side; y += 1) for (let x = 0; x < side; x += 1) values.push(of(p, y, x));
  return { side, c, values };
}
