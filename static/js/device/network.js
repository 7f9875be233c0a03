// Turns a quantised ONNX graph into the layers that the engine runs. Such a graph says
// for each tensor which number a byte stands for, scale * (byte - zero), and between
// those descriptions computes with real numbers; here an operator and the descriptions
// around it become one layer.

import { parse } from './onnx.js';

const WINOGRAD_TO = 32; // the input's size over that of the smallest layers computed so

// read returns { input, layers }: input is { scale, zero }, and each layer
// { kind, ins, out, divide, c, oc, … }. Tensors are numbers, 0 being the input, whose
// channels are padded to four; a tensor's side is the input's over the layer's divide.
export function read(file) {
  const { nodes, tensors } = parse(file);
  const network = { layers: [], input: null };
  const known = new Map(); // name: a tensor, a constant, or an operator whose output has no bytes yet
  let count = 0;

  const constant = (name) => tensors.get(name) ?? refuse(`no constant ${name}`);
  const find = (name) => known.get(name) ?? refuse(`no tensor ${name}`);
  const activation = (name) => (find(name).id === undefined ? refuse(`${name} is not quantised`) : find(name));

  const emit = (layer, description) => {
    count += 1;
    network.layers.push({ ...layer, out: count });
    return { id: count, c: layer.oc, divide: layer.divide, ...description };
  };

  const operators = {
    Constant() {},
    Shape() {},
    Slice() {},
    QuantizeLinear({ inputs: [from, scale, zero], outputs: [to] }) {
      const description = { scale: floats(constant(scale))[0], zero: constant(zero).data[0] };
      if (!known.has(from) && !network.input) {
        network.input = description;
        known.set(to, { id: 0, c: 4, divide: 1, ...description });
      } else {
        known.set(to, emit(scaledTo(find(from).pending, description), description));
      }
    },
    DequantizeLinear({ inputs: [from, scale], outputs: [to] }) {
      known.set(to, known.get(from) ?? { tensor: constant(from), scales: floats(constant(scale)) });
    },
    Conv({ inputs: [from, weights, bias], outputs: [to], attributes: a }) {
      const input = activation(from);
      const { tensor, scales } = find(weights);
      const [outs, ins] = tensor.dims;
      const [d, stride] = [a.dilations?.[0] ?? 1, a.strides?.[0] ?? 1];
      if (a.kernel_shape?.join() !== '3,3' || (a.group ?? 1) !== 1 || a.pads?.some((pad) => pad !== d) || (ins !== input.c && input.id !== 0)) refuse('a convolution');
      const divide = input.divide * stride;
      const winograd = d === 1 && stride === 1 && divide <= WINOGRAD_TO && ins % 16 === 0 && outs % 16 === 0;
      const biases = new Int32Array(find(bias).tensor.data.slice().buffer);
      known.set(to, { pending: {
        kind: winograd ? 'winograd' : 'conv', ins: [input.id], from: input.divide, divide, c: input.c, oc: outs, stride, dilation: d, zero: input.zero,
        weights: { data: tensor.data, outs, ins }, sums: scales.map((scale) => Math.fround(scale * input.scale)), bias: biases,
      } });
    },
    Relu({ inputs: [from], outputs: [to] }) {
      known.set(to, { pending: { ...find(from).pending, relu: true } });
    },
    MaxPool({ inputs: [from], outputs: [to], attributes: a }) {
      const input = activation(from);
      if (a.kernel_shape?.join() !== '2,2' || a.strides?.join() !== '2,2' || a.pads?.some(Boolean)) refuse('a pooling');
      known.set(to, { pending: { kind: 'pool', ins: [input.id], from: input.divide, divide: 2 * input.divide, c: input.c, oc: input.c, parts: [input] } });
    },
    Resize({ inputs: [from, , , sizes], outputs: [to], attributes: a }) {
      if (a.mode !== 'linear' || (a.coordinate_transformation_mode ?? 'half_pixel') !== 'half_pixel') refuse('a resizing');
      const [height] = find(sizes).sizes;
      let input = find(from);
      const last = input.pending;
      if (last) { // the network's last convolution, whose sums need no bytes
        if (last.oc !== 1) refuse('a resizing of an operator');
        input = emit({ ...last, kind: 'conv', floats: true, scale: last.sums });
      }
      known.set(to, { pending: { kind: last ? 'mask' : 'resize', ins: [input.id], from: input.divide, divide: input.divide / 2, c: input.c, oc: input.c, parts: [input], height } });
    },
    Add({ inputs, outputs: [to] }) {
      const parts = inputs.map(activation);
      known.set(to, { pending: { kind: 'add', ins: parts.map(({ id }) => id), from: parts[0].divide, divide: parts[0].divide, c: parts[0].c, oc: parts[0].c, parts } });
    },
    Concat({ inputs, outputs: [to], attributes: { axis } }) {
      if (axis === 0) { // the size that a Resize gives
        const numbers = tensors.get(inputs.at(-1));
        known.set(to, { sizes: [...new BigInt64Array(numbers.data.slice().buffer)].map(Number) });
        return;
      }
      const parts = inputs.map(activation);
      if (axis !== 1 || parts.length !== 2) refuse('a concatenation');
      known.set(to, { pending: { kind: 'concat', ins: parts.map(({ id }) => id), from: parts[0].divide, divide: parts[0].divide, c: parts[0].c, oc: parts[0].c + parts[1].c, parts } });
    },
    Sigmoid({ inputs: [from], outputs: [to] }) {
      const { pending } = find(from);
      if (pending?.kind !== 'mask') refuse('its end');
      known.set(to, emit(pending));
    },
  };
  for (const node of nodes) (operators[node.op] ?? (() => refuse(node.op)))(node);
  check(network);
  return network;
}

// scaledTo completes a layer whose output is described.
function scaledTo(layer, { scale, zero }) {
  if (!layer) refuse('a quantisation');
  if (layer.relu && zero !== 0) refuse('a lower bound');
  if (layer.sums) {
    const sums = layer.sums.map((sum) => Math.fround(sum / scale));
    if (layer.kind === 'conv') return { ...layer, scale: sums, outZero: zero };
    return { ...layer, scale: sums.map((sum) => sum / 4), bias: layer.bias.map((sum) => 4 * sum), outZero: zero };
  }
  const [one, two] = layer.parts;
  if (layer.kind !== 'add') return { ...layer, k: one.scale, k2: two?.scale, kOut: scale, zero: one.zero, zero2: two?.zero, outZero: zero };
  const [k, k2] = [one.scale / scale, two.scale / scale];
  return { ...layer, k, k2, b: zero - k * one.zero - k2 * two.zero };
}

// check refuses what the engine's loops do not support.
function check({ layers, input }) {
  const end = layers.at(-1);
  if (!input || end?.kind !== 'mask' || end.divide !== 1) refuse('its ends');
  for (const { kind, c, oc, height, divide } of layers) {
    if (height && height * divide !== layers.at(-1).height) refuse('a resizing by another factor than two');
    if (!['conv', 'mask'].includes(kind) && (c % 16 || oc % 16)) refuse('its channels');
  }
}

const floats = ({ type, data }) => (type === 1 ? [...new Float32Array(data.slice().buffer)] : refuse('the type of a constant'));

function refuse(what) {
  throw new Error(`The model has something that this device cannot run: ${what}.`);
}
