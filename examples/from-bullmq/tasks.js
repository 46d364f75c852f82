// The task itself: the same before and after. Its first call for the cat fails, as calls do.
const tries = new Map();

export function renderThumbnail({ image }, id) {
  tries.set(id, (tries.get(id) ?? 0) + 1);
  if (image === 'missing.png') throw new RangeError('no such image');
  if (image === 'cat.png' && tries.get(id) === 1) throw new Error('out of memory');
  return { thumbnail: `small-${image}` };
}
