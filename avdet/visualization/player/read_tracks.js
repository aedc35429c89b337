// Reads a track set, which page.py writes as columns of bytes, compressed.
// A track is one person: {id, number, times, boxes, first}. Its keyframe k has the box boxes[4k .. 4k + 3] (normalised)
// and the entries first[k] .. first[k + 1] - 1 of the set's columns `classes` and `scores` (and `others`, the scores of a
// second model), sorted by class. Scores are in steps of 1/SCORE_STEPS.

const SCORE_STEPS = 200, BOX_STEPS = 2000, TIME_STEPS = 10000;

/** {halfInterval, ids, counts, entries, models, bytes} -> {halfInterval, tracks, classes, scores, others, isTruth}. */
async function readTrackSet(packed, isTruth) {
  const next = columnReader(await inflated(packed.bytes));
  const total = packed.counts.reduce((a, b) => a + b, 0);
  const times = Float64Array.from(next(4, total)), sides = [0, 1, 2, 3].map(() => next(2, total)), counts = next(2, total);
  const set = {halfInterval: packed.halfInterval, isTruth, classes: next(2, packed.entries), scores: next(1, packed.entries),
    others: packed.models > 1 ? next(1, packed.entries) : null, verdicts: null, tracks: []};
  const boxes = new Float32Array(4 * total), first = new Uint32Array(total + 1);
  let k = 0;
  packed.counts.forEach((count, number) => {
    const start = k, sums = [0, 0, 0, 0];
    for (let time = 0; k < start + count; k++) {
      time += times[k];
      times[k] = time / TIME_STEPS;
      first[k + 1] = first[k] + counts[k];
      for (let side = 0; side < 4; side++) boxes[4 * k + side] = (sums[side] += sides[side][k]) / BOX_STEPS;
    }
    set.tracks.push({id: packed.ids[number], number, times: times.subarray(start, k),
      boxes: boxes.subarray(4 * start, 4 * k), first: first.subarray(start, k + 1)});
  });
  return set;
}

async function inflated(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Returns next(width, length): the next column of numbers of 1 byte (unsigned) or of 2 or 4 (signed), lowest first. */
function columnReader(bytes) {
  let at = 0;
  return (width, length) => {
    if (width === 1) return bytes.subarray(at, at += length);
    const column = width === 2 ? new Int16Array(length) : new Int32Array(length);
    for (let shift = 0; shift < 8 * width; shift += 8) {
      for (let k = 0; k < length; k++) column[k] |= bytes[at++] << shift;
    }
    return column;
  };
}
