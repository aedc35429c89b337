// Who is where, and does what, at which time. A track is {id, times, boxes, scores}; its times rise.

const HOLD = 1.001; // keyframes of 0.0333.. s are rounded

/** Index of the last of the rising times that is not after `time`, or -1. */
function lastNotAfter(times, time) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Index of the keyframe that is shown at `time`, or -1: the nearest one, if it is not further away than `reach`. */
function keyframeAt(track, time, reach) {
  const before = lastNotAfter(track.times, time);
  const after = Math.min(before + 1, track.times.length - 1);
  const nearest = before >= 0 && time - track.times[before] <= track.times[after] - time ? before : after;
  const last = after === before ? before : nearest;
  return Math.abs(track.times[last] - time) <= reach * HOLD ? last : -1;
}

/** The box at `time`: on its way from one keyframe to the next where the person is at both, else where it last was. */
function boxAt(track, time, reach, keyframe) {
  const a = lastNotAfter(track.times, time), b = a + 1;
  if (a < 0 || b >= track.times.length) return track.boxes[keyframe];
  const span = track.times[b] - track.times[a];
  if (span > 2 * reach * HOLD || span === 0) return track.boxes[keyframe];
  const part = (time - track.times[a]) / span;
  return track.boxes[a].map((side, k) => side + part * (track.boxes[b][k] - side));
}

/** The scores [[class, score], ...] of a keyframe that pass the filter {threshold, classes}, the highest first. */
function passing(scores, filter) {
  return scores.filter(([index, score]) => score >= filter.threshold && filter.classes[index]);
}

/** Everybody on screen: [{id, box, scores}]; people without an action that passes are not shown. */
function peopleAt(group, time, filter) {
  const people = [];
  for (const track of group.tracks) {
    const keyframe = keyframeAt(track, time, group.reach);
    if (keyframe < 0) continue;
    const scores = passing(track.scores[keyframe], filter);
    if (scores.length) people.push({id: track.id, box: boxAt(track, time, group.reach, keyframe), scores});
  }
  return people;
}

/** The timeline: a row a person and action, [{id, index, best, cells: [[start, end, score]]}], people by first time. */
function rowsOf(group, filter) {
  const tracks = [...group.tracks].sort((a, b) => a.times[0] - b.times[0]);
  return tracks.flatMap((track) => {
    const rows = new Map();
    track.times.forEach((time, k) => {
      const middle = (other) => (other === undefined ? Infinity : Math.abs(other - time) / 2);
      const start = time - Math.min(group.reach, middle(track.times[k - 1]));
      const end = time + Math.min(group.reach, middle(track.times[k + 1]));
      for (const [index, score] of passing(track.scores[k], filter)) {
        if (!rows.has(index)) rows.set(index, {id: track.id, index, best: 0, cells: []});
        const row = rows.get(index);
        row.best = Math.max(row.best, score);
        row.cells.push([start, end, score]);
      }
    });
    return [...rows.values()].sort((a, b) => b.best - a.best);
  });
}
