// Compares detections with the ground truth: which actions are wrong and which are missed.

const MIN_IOU = 0.5, NOT_ANNOTATED = 0, RIGHT = 1, WRONG = 2;

/** Pairs of a detected and an annotated person of one keyframe with IoU >= MIN_IOU, and the annotated keyframes. */
class Comparison {
  constructor(detections, truth, annotatedTimes) {
    Object.assign(this, {detections, truth, annotated: new Set(annotatedTimes.map(timeKey)), pairs: []});
    const byTime = new Map();
    for (const track of truth.tracks) {
      track.times.forEach((time, k) => {
        if (!byTime.has(timeKey(time))) byTime.set(timeKey(time), []);
        byTime.get(timeKey(time)).push([track, k]);
      });
    }
    for (const track of detections.tracks) {
      track.times.forEach((time, k) => {
        for (const [other, at] of byTime.get(timeKey(time)) || []) {
          if (iou(boxOf(track, k), boxOf(other, at)) >= MIN_IOU) this.pairs.push([track, k, other, at]);
        }
      });
    }
  }

  /** Marks the entries of both sets: a detected action is WRONG if no annotated person there has it, an annotated one
      if no detected person there has it with the filter's minimum score. */
  mark(filter) {
    const {detections, truth} = this;
    detections.verdicts = new Uint8Array(detections.classes.length);
    truth.verdicts = new Uint8Array(truth.classes.length).fill(WRONG);
    for (const track of detections.tracks) {
      track.times.forEach((time, k) => {
        if (this.annotated.has(timeKey(time))) detections.verdicts.fill(WRONG, track.first[k], track.first[k + 1]);
      });
    }
    for (const [track, k, other, at] of this.pairs) {
      for (let entry = track.first[k]; entry < track.first[k + 1]; entry++) {
        for (let annotated = other.first[at]; annotated < other.first[at + 1]; annotated++) {
          if (detections.classes[entry] !== truth.classes[annotated]) continue;
          detections.verdicts[entry] = RIGHT;
          if (filter.score(detections, entry) >= filter.minScore - 1e-6) truth.verdicts[annotated] = RIGHT;
        }
      }
    }
  }
}

const timeKey = (time) => Math.round(time * 1000);

function iou(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]), height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const shared = Math.max(width, 0) * Math.max(height, 0);
  const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
  return shared / Math.max(area(a) + area(b) - shared, 1e-9);
}
