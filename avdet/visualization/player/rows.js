// The timeline's rows: one per person and action, their cells (one per keyframe) and their events (runs of cells).

/** All rows of a track set, [{set, track, index, keyframes, entries}], persons by first time, actions by peak score. */
function rowsOf(set, numClasses) {
  const sorted = [...set.tracks].sort((a, b) => a.times[0] - b.times[0]);
  return sorted.flatMap((track) => {
    const counts = new Uint32Array(numClasses), [start, end] = [track.first[0], track.first[track.times.length]];
    for (let entry = start; entry < end; entry++) counts[set.classes[entry]]++;
    const rows = new Array(numClasses), highest = new Float32Array(numClasses), found = [];
    counts.forEach((count, index) => {
      if (!count) return;
      rows[index] = {set, track, index, keyframes: new Uint32Array(count), entries: new Uint32Array(count)};
      found.push(rows[index]);
    });
    counts.fill(0);
    for (let k = 0; k < track.times.length; k++) {
      for (let entry = track.first[k]; entry < track.first[k + 1]; entry++) {
        const index = set.classes[entry], at = counts[index]++;
        rows[index].keyframes[at] = k;
        rows[index].entries[at] = entry;
        highest[index] = Math.max(highest[index], set.scores[entry]);
      }
    }
    return found.sort((a, b) => highest[b.index] - highest[a.index]);
  });
}

/** Calls visit(start, end, entry, time) for the row's cells that pass the filter and overlap `from` to `to`. */
function eachCell({set, track, keyframes, entries}, filter, from, to, visit) {
  const {times} = track, half = set.halfInterval;
  let low = 0, high = keyframes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[keyframes[middle]] < from - half) low = middle + 1;
    else high = middle;
  }
  for (let at = low; at < keyframes.length; at++) {
    const k = keyframes[at], time = times[k];
    if (time - half > to) return;
    if (!filter.passes(set, track, entries[at])) continue;
    const start = k > 0 ? time - Math.min(half, (time - times[k - 1]) / 2) : time - half;
    const end = k + 1 < times.length ? time + Math.min(half, (times[k + 1] - time) / 2) : time + half;
    if (end >= from && start <= to) visit(start, end, entries[at], time);
  }
}

/** Whether a cell of the row passes the filter between `from` and `to`. */
function hasCell(row, filter, from, to) {
  let found = false;
  eachCell(row, filter, from, to, () => { found = true; });
  return found;
}

/** The times at which the row's events begin: of the first keyframe of each run of cells without a gap. */
function eventTimes(row, filter) {
  const times = [];
  let previousEnd = -Infinity;
  eachCell(row, filter, -Infinity, Infinity, (start, end, _, time) => {
    if (start > previousEnd + row.set.halfInterval * (ROUNDING - 1)) times.push(Math.max(time, 0));
    previousEnd = end;
  });
  return times;
}

/** The event of these rows after `last` ({row, time}; row null: at the time itself) in order of time and row, or before
    it (direction -1): {row, time}. From the last event to the first; null without events. */
function nextEvent(rows, filter, last, direction) {
  const order = (a, b) => direction * (a.time - b.time || a.position - b.position);
  const from = {time: last.time, position: rows.indexOf(last.row)};
  let next = null, first = null;
  rows.forEach((row, position) => {
    for (const time of eventTimes(row, filter)) {
      const event = {row, time, position};
      if (!first || order(event, first) < 0) first = event;
      if (order(event, from) > 0 && (!next || order(event, next) < 0)) next = event;
    }
  });
  return next || first;
}
