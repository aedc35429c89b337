// Which persons are shown at a time, with their boxes interpolated between keyframes.
// A track is one person: {id, times, boxes, scores}, one box and [[class, score], ...] per time; times are sorted.
// A track set is {halfInterval, tracks}: a keyframe is shown for `halfInterval` seconds before and after it.

const ROUNDING = 1.001; // intervals are rounded: 0.0333 s instead of 1/30 s

/** Index of the last of the sorted times that is not after `time`, or -1. */
function lastNotAfter(times, time) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Index of the keyframe shown at `time`: the nearest one within `halfInterval`, or -1. */
function nearestKeyframe(track, time, halfInterval) {
  const before = lastNotAfter(track.times, time);
  const after = Math.min(before + 1, track.times.length - 1);
  const isBefore = before >= 0 && (after === before || time - track.times[before] <= track.times[after] - time);
  const nearest = isBefore ? before : after;
  return Math.abs(track.times[nearest] - time) <= halfInterval * ROUNDING ? nearest : -1;
}

/** The box at `time`: interpolated linearly between two adjacent keyframes, else the box of `keyframe`. */
function interpolateBox(track, time, halfInterval, keyframe) {
  const before = lastNotAfter(track.times, time), after = before + 1;
  if (before < 0 || after >= track.times.length) return track.boxes[keyframe];
  const span = track.times[after] - track.times[before];
  if (span > 2 * halfInterval * ROUNDING || span === 0) return track.boxes[keyframe];
  const weight = (time - track.times[before]) / span;
  return track.boxes[before].map((side, k) => side + weight * (track.boxes[after][k] - side));
}

/** The scores [[class, score], ...] that pass the filter {minScore, classes}, highest first. */
function filterScores(scores, filter) {
  return scores.filter(([index, score]) => score >= filter.minScore && filter.classes[index]);
}

/** The persons shown at `time`: [{id, box, scores}]; persons without an action that passes the filter are left out. */
function personsAt({halfInterval, tracks}, time, filter) {
  const persons = [];
  for (const track of tracks) {
    const keyframe = nearestKeyframe(track, time, halfInterval);
    if (keyframe < 0) continue;
    const scores = filterScores(track.scores[keyframe], filter);
    if (scores.length) persons.push({id: track.id, box: interpolateBox(track, time, halfInterval, keyframe), scores});
  }
  return persons;
}
