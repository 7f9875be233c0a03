// Chooses between this device's processors. The CPU computes masks until the GPU has
// computed one too, the same and in less time; a GPU that fails later is not used again.

const LONGEST = 5_000; // ms that the GPU may take, for the comparison or for a photo
const UNLIKE = 0.5; // of 255: the difference between their masks, on average
const ALIKE = 0.99; // the overlap of what they keep
const SOONER = 0.8; // of the CPU's time, whose first run takes a little longer than others
const LEAST = 0.01; // of a mask is kept, and is not, or a comparison says nothing

// open resolves to { input, run(size, fill), compare() } for two functions that resolve
// to engines (see engine.js); openGPU may be null, or resolve to null. run resolves to a
// mask. compare, called between photos, has the GPU compute the last one's mask again.
export async function open(openCPU, openGPU) {
  let cpu = await openCPU();
  let gpu = null;
  let untried = openGPU;
  let sample = null;

  return {
    input: cpu.input,
    async run(size, fill) {
      if (gpu) {
        try {
          return await within(gpu.run(size, fill));
        } catch {
          gpu.close();
          gpu = null;
        }
      }
      cpu ??= await openCPU();
      let input = null;
      const began = performance.now();
      const mask = cpu.run(size, (bytes) => {
        fill(bytes);
        if (untried) input = bytes.slice();
      });
      sample = untried && { size, input, mask, took: performance.now() - began };
      return mask;
    },
    async compare() {
      if (!sample || !tells(sample.mask)) return;
      const opened = untried();
      const tried = sample;
      untried = null;
      sample = null;
      const suits = await within(opened.then((engine) => engine && agrees(engine, tried))).catch(() => false);
      if (suits) {
        gpu = await opened;
        cpu.close();
        cpu = null;
      } else {
        opened.then((engine) => engine?.close()).catch(() => {});
      }
    },
  };
}

// agrees resolves to whether an engine computes the mask of a sample, twice, and is the
// faster one, the first time aside.
async function agrees(engine, { size, input, mask, took }) {
  const fill = (bytes) => bytes.set(input);
  if (!alike(mask, await engine.run(size, fill))) return false;
  const began = performance.now();
  return alike(mask, await engine.run(size, fill)) && performance.now() - began < SOONER * took;
}

const kept = (level) => level > 127;

function tells(mask) {
  const share = mask.reduce((sum, level) => sum + kept(level), 0) / mask.length;
  return share > LEAST && share < 1 - LEAST;
}

function alike(one, two) {
  let [difference, both, either] = [0, 0, 0];
  one.forEach((level, i) => {
    difference += Math.abs(level - two[i]);
    both += kept(level) && kept(two[i]);
    either += kept(level) || kept(two[i]);
  });
  return difference <= UNLIKE * one.length && both >= ALIKE * either;
}

// within rejects when a promise takes too long.
function within(promise) {
  let timer = 0;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new DOMException('late', 'TimeoutError')), LONGEST);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
