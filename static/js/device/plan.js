// Where a network's tensors lie in memory, whichever processor runs it.

// plan gives every layer its tensors, and their sides, for an input of one size. Tensors
// that are not needed any more give way to others. take(bytes) returns new memory, an
// address or a buffer.
export function plan(layers, size, take) {
  const space = arena(take);
  const tensors = new Map([[0, space.take(4 * size * size)]]);
  const first = tensors.get(0).at;
  const list = layers.map((layer, i) => {
    const h = size / layer.from;
    const oh = size / layer.divide;
    const out = space.take(oh * oh * (layer.floats ? 4 : layer.oc));
    tensors.set(layer.out, out);
    const [one, two] = layer.ins.map((id) => tensors.get(id).at);
    for (const id of new Set(layer.ins)) {
      if (!layers.some(({ ins }, j) => j > i && ins.includes(id))) space.give(tensors.get(id));
    }
    return { ...layer, in: one, in2: two, out: out.at, h, w: h, oh, ow: oh };
  });
  return { list, first, last: list.at(-1).out };
}

// arena hands out blocks of memory and takes them back; the smallest that suffices is
// used again.
function arena(take) {
  const free = [];
  return {
    take(bytes) {
      const fit = free.filter((block) => block.bytes >= bytes).sort((a, b) => a.bytes - b.bytes)[0];
      if (!fit) return { at: take(bytes), bytes };
      free.splice(free.indexOf(fit), 1);
      return fit;
    },
    give: (block) => free.push(block),
  };
}
