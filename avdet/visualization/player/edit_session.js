// The corrections: the persons of each keyframe as the annotator left them, with undo, and the CSV of the accepted ones.
// A person is {id, box, labels: [class]}; persons, keyframes and states are never changed in place.

class EditSession {
  /** set: the detections, which are the proposals from the filter's minimum score on. edit: {video, actionIds}. */
  constructor(set, filter, edit, timestampOffset) {
    Object.assign(this, {set, filter, edit, timestampOffset, history: [], unsaved: false});
    const times = [...new Set(set.tracks.flatMap((track) => [...track.times]))].sort((a, b) => a - b);
    // keyframes: time -> {isAccepted, persons}; ids: a merged person's id -> the id that it has now.
    this.state = {times, keyframes: new Map(), ids: new Map()};
  }

  get times() { return this.state.times; }
  isAccepted(time) { return Boolean(this.state.keyframes.get(time)?.isAccepted); }
  get acceptedTimes() { return this.times.filter((time) => this.isAccepted(time)); }

  /** The keyframe shown at `time`, or null. */
  keyframeAt(time) {
    const k = this.times.length ? nearestKeyframe(this.times, time, this.set.halfInterval) : -1;
    return k < 0 ? null : this.times[k];
  }

  personsAt(time) { return this.state.keyframes.get(time)?.persons ?? this.proposed(time); }

  proposed(time) {
    const persons = [];
    for (const track of this.set.tracks) {
      const k = lastNotAfter(track.times, time);
      if (k < 0 || track.times[k] !== time) continue;
      const labels = [];
      for (let entry = track.first[k]; entry < track.first[k + 1]; entry++) {
        if (this.filter.score(this.set, entry) >= this.filter.minScore - 1e-6) labels.push(this.set.classes[entry]);
      }
      const id = this.state.ids.get(track.id) ?? track.id;
      if (labels.length) persons.push({id, box: boxOf(track, k), labels});
    }
    return persons;
  }

  get nextId() {
    const ids = [...this.state.keyframes.values()].flatMap(({persons}) => persons.map(({id}) => id));
    return Math.max(-1, ...this.set.tracks.map(({id}) => id), ...ids) + 1;
  }

  /** Replaces the persons of a keyframe, which may be a new one. An edited keyframe is accepted. */
  change(time, persons) { this.put([[time, {isAccepted: true, persons}]]); }

  setAccepted(times, isAccepted) {
    this.put(times.map((time) => [time, {isAccepted, persons: this.personsAt(time)}]));
  }

  put(keyframes, ids = this.state.ids) {
    this.history.push(this.state);
    const times = new Set(this.times), size = times.size;
    keyframes.forEach(([time]) => times.add(time));
    this.state = {times: times.size === size ? this.times : [...times].sort((a, b) => a - b),
      keyframes: new Map([...this.state.keyframes, ...keyframes]), ids};
    this.unsaved = true;
  }

  undo() {
    if (this.history.length) this.state = this.history.pop();
    this.unsaved = true;
  }

  /** Gives the person `from` the id `to` in the whole video. Returns the keyframe that has both, which forbids it. */
  merge(from, to) {
    const both = this.times.find((time) => {
      const ids = this.personsAt(time).map(({id}) => id);
      return ids.includes(from) && ids.includes(to);
    });
    if (both !== undefined) return both;
    const renamed = (id) => (id === from ? to : id);
    const ids = new Map(this.set.tracks.map(({id}) => [id, renamed(this.state.ids.get(id) ?? id)]));
    this.put([...this.state.keyframes].map(([time, {isAccepted, persons}]) => (
      [time, {isAccepted, persons: persons.map((person) => ({...person, id: renamed(person.id)}))}])), ids);
    return undefined;
  }

  /** The labels of the accepted keyframes, as tools/import_annotations.py and training read them. */
  csv() {
    const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const lines = ["video,timestamp,x1,y1,x2,y2,action_id,person_id"];
    for (const time of this.acceptedTimes) {
      const timestamp = Math.round((time + this.timestampOffset) * TIME_STEPS) / TIME_STEPS;
      for (const {id, box, labels} of this.personsAt(time)) {
        const sides = box.map((side) => Math.round(Math.min(Math.max(side, 0), 1) * 10000) / 10000);
        for (const label of labels) {
          lines.push([quoted(this.edit.video), timestamp, ...sides, this.edit.actionIds[label], id].join(","));
        }
      }
    }
    return lines.join("\n") + "\n";
  }
}
