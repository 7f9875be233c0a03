// Runs a network on this device's graphics processor, through WebGPU.

import { plan } from './plan.js';
import { groupsOf, lanesOf, shaderOf } from './shaders.js';

const TAPS = 9;
const ALIGNED = 256; // bytes from one layer's description to the next

const up = (n, to) => Math.ceil(n / to) * to;

// adapter resolves to this device's graphics processor, or null: one that software
// imitates is slower than engine.wasm.
export async function adapter() {
  const found = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  return found && !found.info?.isFallbackAdapter && !found.isFallbackAdapter ? found : null;
}

// open resolves to what open of engine.js gives, whose run resolves to the mask here. A
// run may take forever, which is up to the caller; close ends it.
export async function open(processor, { input, layers }) {
  const device = await processor.requestDevice();
  const lost = device.lost.then(({ message }) => { throw new Error(`The graphics processor is gone. ${message}`); });
  lost.catch(() => {});

  // attempt resolves to what act returns, once the device has reported no error of it.
  const attempt = async (act) => {
    for (const kind of ['validation', 'out-of-memory', 'internal']) device.pushErrorScope(kind);
    const result = act();
    const scopes = [device.popErrorScope(), device.popErrorScope(), device.popErrorScope()];
    const [value, ...errors] = await Promise.race([Promise.all([result, ...scopes]), lost]);
    for (const error of errors) if (error) throw new Error(error.message);
    return value;
  };

  try {
    const pipelines = await attempt(() => compiled(device, layers));
    const constants = await attempt(() => layers.map((layer) => (layer.weights ? placed(device, layer) : [])));
    let planned = null;
    return {
      input,
      async run(size, fill) {
        if (planned?.size !== size) {
          planned?.free();
          planned = null;
          planned = await attempt(() => prepared(device, layers, size, pipelines, constants));
        }
        const bytes = new Uint8Array(4 * size * size);
        fill(bytes);
        return attempt(() => planned.compute(bytes));
      },
      close: () => device.destroy(),
    };
  } catch (error) {
    device.destroy();
    throw error;
  }
}

// compiled resolves to the pipeline of each layer; layers of a kind share theirs.
function compiled(device, layers) {
  const packed = navigator.gpu.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product');
  const pipelines = new Map();
  return Promise.all(layers.map((layer) => {
    const code = shaderOf(layer, packed);
    if (!pipelines.has(code)) pipelines.set(code, device.createComputePipelineAsync({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } }));
    return pipelines.get(code);
  }));
}

// placed returns the buffers of a convolution: its weights, and by four output channels
// what is added to the sums and what they are multiplied by.
function placed(device, layer) {
  const { kind, c, oc, zero, bias, scale, weights: { data, outs, ins } } = layer;
  const lanes = lanesOf(layer);
  const padded = up(oc, lanes);
  const weights = filled(device, padded * TAPS * up(c, 16));
  const channels = filled(device, padded * 8);
  const bytes = new Int8Array(weights.getMappedRange());
  const biases = new Int32Array(channels.getMappedRange());
  const scales = new Float32Array(biases.buffer);
  const times = kind === 'winograd' ? 4 : 1; // as large are its sums on the other processor
  for (let o = 0, from = 0; o < outs; o += 1) {
    const lane = o % lanes;
    const to = (o - lane) * TAPS * up(c, 16) + (lane % 4 * lanes / 4 + (lane >> 2)) * 16;
    let sum = 0;
    for (let i = 0; i < ins; i += 1) {
      for (let tap = 0; tap < TAPS; tap += 1, from += 1) {
        const weight = data[from] << 24 >> 24;
        bytes[to + ((i >> 4) * TAPS + tap) * lanes * 16 + i % 16] = weight;
        sum += weight;
      }
    }
    const at = (o >> 2) * 8 + o % 4;
    biases[at] = bias[o] / times + (128 - zero) * sum; // the bytes are 128 less there
    scales[at + 4] = scale[o] * times;
  }
  for (const buffer of [weights, channels]) buffer.unmap();
  return [weights, channels];
}

const filled = (device, size) => device.createBuffer({ size, usage: GPUBufferUsage.STORAGE, mappedAtCreation: true });

// prepared lays out everything for an input of one size.
function prepared(device, layers, size, pipelines, constants) {
  const buffers = [];
  const make = (bytes, usage) => {
    buffers.push(device.createBuffer({ size: up(bytes, 16), usage }));
    return buffers.at(-1);
  };
  const { list, first, last } = plan(layers, size, (bytes) => make(bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC));
  const mask = make(size * size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  const descriptions = make(list.length * ALIGNED, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
  device.queue.writeBuffer(descriptions, 0, described(list));
  const steps = list.map((layer, i) => {
    const used = [layer.in, layer.in2, ...constants[i], layer.out].filter(Boolean).map((buffer) => ({ buffer }));
    const entries = [{ buffer: descriptions, offset: i * ALIGNED, size: ALIGNED }, ...used].map((resource, binding) => ({ binding, resource }));
    return { pipeline: pipelines[i], group: device.createBindGroup({ layout: pipelines[i].getBindGroupLayout(0), entries }), groups: groupsOf(layer) };
  });

  return {
    size,
    async compute(bytes) {
      device.queue.writeBuffer(first, 0, bytes);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const { pipeline, group, groups } of steps) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...groups);
      }
      pass.end();
      encoder.copyBufferToBuffer(last, 0, mask, 0, size * size);
      device.queue.submit([encoder.finish()]);
      await mask.mapAsync(GPUMapMode.READ);
      const result = new Uint8Array(mask.getMappedRange()).slice();
      mask.unmap();
      return result;
    },
    free: () => buffers.forEach((buffer) => buffer.destroy()),
  };
}

// described writes layers as the struct of shaders.js.
function described(list) {
  const bytes = new ArrayBuffer(list.length * ALIGNED);
  list.forEach((layer, i) => {
    const { h, w, c, oh, ow, oc, stride, dilation, zero, zero2, outZero, k, k2, kOut, b } = layer;
    new Int32Array(bytes, i * ALIGNED).set([h, w, c, oh, ow, oc, stride, dilation, zero, zero2, outZero].map((value) => value ?? 0));
    new Float32Array(bytes, i * ALIGNED + 44).set([k, k2, kOut, b].map((value) => value ?? 0));
  });
  return bytes;
}
