// Which persons are shown at a time, with their boxes interpolated between keyframes.
// A keyframe is shown for the track set's `halfInterval` seconds before and after it.

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
function nearestKeyframe(times, time, halfInterval) {
  const before = lastNotAfter(times, time);
  const after = Math.min(before + 1, times.length - 1);
  const isBefore = before >= 0 && (after === before || time - times[before] <= times[after] - time);
  const nearest = isBefore ? before : after;
  return Math.abs(times[nearest] - time) <= halfInterval * ROUNDING ? nearest : -1;
}

const boxOf = (track, keyframe) => [...track.boxes.subarray(4 * keyframe, 4 * keyframe + 4)];

/** The box at `time`: interpolated linearly between two adjacent keyframes, else the box of `keyframe`. */
function interpolateBox(track, time, halfInterval, keyframe) {
  const before = lastNotAfter(track.times, time), after = before + 1;
  if (before < 0 || after >= track.times.length) return boxOf(track, keyframe);
  const span = track.times[after] - track.times[before];
  if (span > 2 * halfInterval * ROUNDING || span === 0) return boxOf(track, keyframe);
  const weight = (time - track.times[before]) / span, end = boxOf(track, after);
  return boxOf(track, before).map((side, k) => side + weight * (end[k] - side));
}

/** Entries of a keyframe that pass the filter, highest score first. */
function shownEntries(set, track, keyframe, filter) {
  const entries = [];
  for (let entry = track.first[keyframe]; entry < track.first[keyframe + 1]; entry++) {
    if (filter.passes(set, track, entry)) entries.push(entry);
  }
  return entries.sort((a, b) => filter.score(set, b) - filter.score(set, a));
}

/** The persons shown at `time`: [{track, keyframe, box, entries}]; those without an entry that passes are left out. */
function personsAt(set, time, filter) {
  const persons = [];
  for (const track of set.tracks) {
    const keyframe = nearestKeyframe(track.times, time, set.halfInterval);
    if (keyframe < 0) continue;
    const entries = shownEntries(set, track, keyframe, filter);
    const box = interpolateBox(track, time, set.halfInterval, keyframe);
    if (entries.length) persons.push({track, keyframe, box, entries});
  }
  return persons;
}
