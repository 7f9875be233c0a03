// Reads the parts of an ONNX file that network.js needs: a graph's operators, with
// their attributes, and its constant tensors. Their data are views of the file.

const text = new TextDecoder();

// parse returns { nodes, tensors }: of each node { op, inputs, outputs, attributes },
// and by name { type, dims, data }, data being bytes.
export function parse(file) {
  const graph = only(fields(file), 7);
  const parts = fields(graph);
  const tensors = new Map();
  for (const part of all(parts, 5)) {
    const { name, ...tensor } = tensorOf(part);
    tensors.set(name, tensor);
  }
  const nodes = all(parts, 1).map(nodeOf);
  for (const node of nodes) {
    if (node.op === 'Constant' && node.attributes.value) tensors.set(node.outputs[0], node.attributes.value);
  }
  return { nodes, tensors };
}

function nodeOf(message) {
  const parts = fields(message);
  const strings = (number) => all(parts, number).map((bytes) => text.decode(bytes));
  const attributes = {};
  for (const attribute of all(parts, 5)) {
    const inner = fields(attribute);
    attributes[text.decode(only(inner, 1))] = valueOf(inner);
  }
  return { op: strings(4)[0] ?? '', inputs: strings(1), outputs: strings(2), attributes };
}

// valueOf returns an attribute's tensor, list of integers, text or integer.
function valueOf(parts) {
  if (only(parts, 5)) return tensorOf(only(parts, 5));
  if (only(parts, 8) !== undefined) return integers(parts, 8);
  if (only(parts, 4)) return text.decode(only(parts, 4));
  return only(parts, 3) ?? 0;
}

function tensorOf(message) {
  const parts = fields(message);
  return { name: text.decode(only(parts, 8) ?? new Uint8Array(0)), type: only(parts, 2), dims: integers(parts, 1), data: only(parts, 9) ?? new Uint8Array(0) };
}

const all = (parts, number) => parts.filter(([n]) => n === number).map(([, value]) => value);
const only = (parts, number) => parts.find(([n]) => n === number)?.[1];

// integers reads a repeated field, in one piece or in several.
const integers = (parts, number) => all(parts, number).flatMap((value) => (typeof value === 'number' ? [value] : packed(value)));

function packed(bytes) {
  const reader = { bytes, at: 0 };
  const values = [];
  while (reader.at < bytes.length) values.push(varint(reader));
  return values;
}

// fields returns the fields of a Protocol Buffers message: [number, value], where value
// is a number or the bytes of what it contains.
function fields(bytes) {
  const reader = { bytes, at: 0 };
  const found = [];
  while (reader.at < bytes.length) {
    const key = varint(reader);
    const number = Math.floor(key / 8);
    const kind = key % 8;
    if (kind === 0) {
      found.push([number, varint(reader)]);
      continue;
    }
    const length = { 1: 8, 2: kind === 2 && varint(reader), 5: 4 }[kind];
    if (length === undefined || reader.at + length > bytes.length) throw new Error('The model’s file is damaged.');
    found.push([number, bytes.subarray(reader.at, reader.at + length)]);
    reader.at += length;
  }
  return found;
}

// varint reads an integer of up to 64 bits, exact up to 2^53. Negative ones, which are
// written in ten bytes, are exact where they are small.
function varint(reader) {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.bytes[reader.at];
    reader.at += 1;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return Number(BigInt.asIntN(64, value));
  }
  throw new Error('The model’s file is damaged.');
}
