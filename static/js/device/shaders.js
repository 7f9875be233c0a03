// The network's layers for graphics processors, in WGSL. They compute what engine.c
// computes: sums are whole numbers and come out the same; where numbers are real, a
// processor may round in its own way, which changes a byte by one now and then.

export const PIXELS = 64; // that a workgroup of a convolution computes, of so many output channels:
export const lanesOf = ({ oc }) => (oc % 32 ? 16 : 32);

// A word holds the bytes of four channels, a vector of words those of sixteen. In a
// tensor, all pixels' first vectors come first: what neighbours read is side by side.
const COMMON = `
struct Layer {
  h: u32, w: u32, c: u32, oh: u32, ow: u32, oc: u32, stride: u32, dilation: u32,
  zero: i32, zero2: i32, out_zero: i32, k: f32, k2: f32, k_out: f32, b: f32,
}
@group(0) @binding(0) var<uniform> l: Layer;

fn bytes(word: u32) -> vec4u { return (vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u); }
fn word(b: vec4u) -> u32 { return b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u); }

fn quantised(x: vec4f, zero: i32) -> u32 {
  return word(vec4u(vec4i(round(clamp(x, vec4f(f32(-zero)), vec4f(f32(255 - zero))))) + zero));
}
`;

// Four products of signed bytes, which many processors add at once; without that, real
// numbers are faster, and exact too as long as only sixteen products are added.
const products = (packed) => (packed ? `
fn sum4(x: u32, y: u32) -> i32 { return dot4I8Packed(x, y); }
fn sum16(x: vec4u, y: vec4u) -> i32 { return sum4(x.x, y.x) + sum4(x.y, y.y) + sum4(x.z, y.z) + sum4(x.w, y.w); }` : `
fn signed(x: u32) -> vec4f { return vec4f(vec4i(vec4u(x) << vec4u(0u, 8u, 16u, 24u)) >> vec4u(24u)); }
fn sum4(x: u32, y: u32) -> f32 { return dot(signed(x), signed(y)); }
fn sum16(x: vec4u, y: vec4u) -> i32 { return i32(sum4(x.x, y.x) + sum4(x.y, y.y) + sum4(x.z, y.z) + sum4(x.w, y.w)); }`);

const four = (act) => [0, 1, 2, 3].map(act).join('\n        ');

// A convolution is a product of matrices: of pixels, each with the channels of the nine
// around it, and weights. A workgroup goes through them in steps, each of a row of three
// pixels' vectors, which all its invocations read; each computes four pixels, sixteen
// apart, of four channels. Bytes are made signed, and gpu.js makes up for that in the
// bias; pixels outside the picture stand for zero. first is the layer whose input has
// four channels, last the one whose output is one real number.
const convolution = ({ lanes, first, last, packed }) => `${COMMON}${products(packed)}
struct Channels { bias: vec4i, scale: vec4f }
@group(0) @binding(1) var<storage, read> pixels: array<${first ? 'u32' : 'vec4u'}>;
@group(0) @binding(2) var<storage, read> weights: array<vec4u>;
@group(0) @binding(3) var<storage, read> channels: array<Channels>;
@group(0) @binding(4) var<storage, read_write> out: array<${last ? 'f32' : 'u32'}>;

var<workgroup> xs: array<vec4u, ${3 * PIXELS}>;
var<workgroup> ws: array<vec4u, ${3 * lanes}>;

fn pixel(x: i32, y: i32, part: u32) -> vec4u {
  if (x < 0 || y < 0 || x >= i32(l.w) || y >= i32(l.h)) { return vec4u(u32(l.zero) * 0x01010101u); }
  let at = (part * l.h + u32(y)) * l.w + u32(x);
  return ${first ? 'vec4u(pixels[at], 0u, 0u, 0u)' : 'pixels[at]'};
}

fn put(i: u32, lane: u32, sums: vec4i) {
  if (i >= l.oh * l.ow) { return; }
  let x = vec4f(sums + channels[lane / 4].bias) * channels[lane / 4].scale;
  ${last ? 'if (lane == 0) { out[i] = x.x; }' : 'out[(lane / 16 * l.oh * l.ow + i) * 4 + lane / 4 % 4] = quantised(x, l.out_zero);'}
}

@compute @workgroup_size(${4 * lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) me: u32) {
  let first = group.x * ${PIXELS};
  let mine = me % ${lanes / 4};
  let row = me / ${lanes / 4};
  let distance = i32(l.dilation);
  let x = i32((first + me % ${PIXELS}) % l.ow * l.stride);
  let y = i32((first + me % ${PIXELS}) / l.ow * l.stride);
  let parts = (l.c + 15) / 16;
  var at = group.y * parts * ${9 * lanes};
  var s0 = vec4i(); var s1 = vec4i(); var s2 = vec4i(); var s3 = vec4i();
  for (var part = 0u; part < parts; part++) {
    for (var dy = -distance; dy <= distance; dy += distance) {
      for (var i = me; i < ${3 * PIXELS}; i += ${4 * lanes}) { xs[i] = pixel(x + (i32(i / ${PIXELS}) - 1) * distance, y + dy, part) ^ vec4u(0x80808080u); }
      for (var i = me; i < ${3 * lanes}; i += ${4 * lanes}) { ws[i] = weights[at + i]; }
      at += ${3 * lanes};
      workgroupBarrier();
      for (var k = 0u; k < 3; k++) {
        ${four((n) => `let w${n} = ws[k * ${lanes} + ${n * lanes / 4} + mine];`)}
        ${four((n) => `let x${n} = xs[k * ${PIXELS} + ${n * 16} + row];`)}
        ${four((n) => `s${n} += vec4i(sum16(x${n}, w0), sum16(x${n}, w1), sum16(x${n}, w2), sum16(x${n}, w3));`)}
      }
      workgroupBarrier();
    }
  }
  let lane = group.y * ${lanes} + 4 * mine;
  ${four((n) => `put(first + ${n * 16} + row, lane, s${n});`)}
}`;

// The other layers: an invocation computes a vector of the output, or four pixels of the
// mask. body says how it becomes the word n of result.
const layer = (inputs, declarations, body) => `${COMMON}
${inputs.map((name, i) => `@group(0) @binding(${i + 1}) var<storage, read> ${name}: array<vec4u>;`).join('\n')}
@group(0) @binding(${inputs.length + 1}) var<storage, read_write> out: array<vec4u>;
${declarations}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let part = id.x / (l.oh * l.ow);
  if (part >= l.oc / 16) { return; }
  let x = id.x % l.ow;
  let y = id.x / l.ow % l.oh;
  var result: vec4u;
  ${body}
  out[id.x] = result;
}`;

const RESCALED = `
fn rescaled(x: vec4u, zero: i32, k: f32, out_zero: i32) -> u32 {
  return quantised(vec4f(vec4i(x) - zero) * k / l.k_out, out_zero);
}`;

// Where a place of a row of twice the length lies between two of n.
const BETWEEN = `
struct Between { before: u32, after: u32, to_before: f32, to_after: f32 }

fn between(x: u32, n: u32) -> Between {
  if (x == 0) { return Between(0u, min(1u, n - 1), 0.0, 1.0); }
  let before = (x - 1) / 2;
  if (before + 1 == n) { return Between(before, before, 0.5, 0.5); }
  if (x % 2 == 1) { return Between(before, before + 1, 0.25, 0.75); }
  return Between(before, before + 1, 0.75, 0.25);
}`;

const pool = () => layer(['pixels'], RESCALED, `
  let at = (part * l.h + 2 * y) * l.w + 2 * x;
  let below = at + l.w;
  for (var n = 0u; n < 4; n++) {
    let upper = max(bytes(pixels[at][n]), bytes(pixels[at + 1][n]));
    let lower = max(bytes(pixels[below][n]), bytes(pixels[below + 1][n]));
    result[n] = rescaled(max(upper, lower), l.zero, l.k, l.out_zero);
  }`);

const resize = () => layer(['pixels'], `${BETWEEN}
fn real(word: u32) -> vec4f { return vec4f(vec4i(bytes(word)) - l.zero) * l.k; }`, `
  let down = between(y, l.h);
  let across = between(x, l.w);
  let upper = (part * l.h + down.before) * l.w;
  let lower = (part * l.h + down.after) * l.w;
  let p11 = pixels[upper + across.before];
  let p21 = pixels[upper + across.after];
  let p12 = pixels[lower + across.before];
  let p22 = pixels[lower + across.after];
  for (var n = 0u; n < 4; n++) {
    let upper = across.to_after * down.to_after * real(p11[n]) + across.to_before * down.to_after * real(p21[n]);
    let sum = upper + across.to_after * down.to_before * real(p12[n]) + across.to_before * down.to_before * real(p22[n]);
    result[n] = quantised(sum / l.k_out, l.out_zero);
  }`);

const add = () => layer(['pixels', 'others'], '', `
  for (var n = 0u; n < 4; n++) {
    result[n] = quantised(vec4f(bytes(pixels[id.x][n])) * l.k + l.b + vec4f(bytes(others[id.x][n])) * l.k2, 0);
  }`);

const concat = () => layer(['pixels', 'others'], RESCALED, `
  let own = l.c / 16 * l.oh * l.ow;
  for (var n = 0u; n < 4; n++) {
    if (id.x < own) { result[n] = rescaled(bytes(pixels[id.x][n]), l.zero, l.k, l.out_zero); }
    else { result[n] = rescaled(bytes(others[id.x - own][n]), l.zero2, l.k2, l.out_zero); }
  }`);

const mask = () => `${COMMON}${BETWEEN}
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

fn share(x: u32, y: u32) -> u32 {
  let down = between(y, l.h);
  let across = between(x, l.w);
  let upper = across.to_after * values[down.before * l.w + across.before] + across.to_before * values[down.before * l.w + across.after];
  let lower = across.to_after * values[down.after * l.w + across.before] + across.to_before * values[down.after * l.w + across.after];
  let value = down.to_after * upper + down.to_before * lower;
  return u32(255.0 / (1.0 + exp(clamp(-value, -80.0, 80.0))) + 0.5);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = 4 * id.x;
  if (i >= l.oh * l.ow) { return; }
  let x = i % l.ow;
  let y = i / l.ow;
  out[id.x] = word(vec4u(share(x, y), share(x + 1, y), share(x + 2, y), share(x + 3, y)));
}`;

const others = { pool, resize, add, concat, mask };

// shaderOf returns the program that computes a layer; packed says whether the language
// has products of packed bytes.
export function shaderOf(layer, packed) {
  if (!layer.weights) return others[layer.kind]();
  return convolution({ lanes: lanesOf(layer), first: layer.c === 4, last: Boolean(layer.floats), packed });
}

// groupsOf returns how many workgroups compute a layer, of each dimension.
export function groupsOf(layer) {
  const { kind, oh, ow, oc } = layer;
  if (layer.weights) return [Math.ceil(oh * ow / PIXELS), Math.ceil(oc / lanesOf(layer))];
  return [Math.ceil(oh * ow * (kind === 'mask' ? 1 / 4 : oc / 16) / 64)];
}
