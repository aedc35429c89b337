// The panel of --edit: accept, change, add and delete the labels and boxes of a keyframe, merge persons, download.

const STEP = 0.005; // of a box per key press, a fraction of the frame

class EditPanel {
  /** page: {data, video, canvas, colourOf, seek(time), time(), redraw()} */
  constructor(panel, session, page) {
    Object.assign(this, {panel, session, page, selected: null, draft: null, message: ""});
    panel.hidden = false;
    this.actionNames = created("datalist", {id: "action-names"}, ...page.data.classes.map((name) => new Option(name)));
    this.state = created("p", {className: "state"});
    this.state.setAttribute("role", "status");
    this.list = created("ul");
    this.buttons = Object.fromEntries([
      ["previous", "❮ keyframe", "previous keyframe ([)", () => this.move(-1)],
      ["next", "keyframe ❯", "next keyframe (])", () => this.move(1)],
      ["accept", "accept", "accept this keyframe and go to the next (Enter)", () => this.accept()],
      ["acceptAll", "accept all", "accept all keyframes as they are", () => this.acceptAll()],
      ["insert", "new person", "new person (i); or draw a box", () => this.insert([0.4, 0.3, 0.6, 0.8])],
      ["undo", "undo", "undo (Ctrl+Z)", () => this.undo()],
      ["download", "download CSV", "the labels of the accepted keyframes", () => this.download()],
    ].map(([name, text, title, action]) => {
      const button = created("button", {textContent: text, title, id: `edit-${name}`});
      button.addEventListener("click", action);
      return [name, button];
    }));
    panel.append(this.actionNames, created("div", {className: "buttons"}, ...Object.values(this.buttons)), this.state, this.list);
    new BoxPointer(page.canvas, {begin: () => this.beginDrag(), select: (index) => this.select(index),
      preview: (index, box) => { this.draft = this.withBox(index, box); this.page.redraw(); },
      finish: (index, box) => this.finishDrag(index, box)});
    window.addEventListener("beforeunload", (event) => { if (session.unsaved) event.preventDefault(); });
  }

  /** The keyframe that is edited: the one shown now, else a new one at the current time. */
  get keyframe() { return this.session.keyframeAt(this.page.time()) ?? Math.round(this.page.time() * 1000) / 1000; }
  get persons() { return this.session.personsAt(this.keyframe); }
  get selectedIndex() { return this.persons.findIndex(({id}) => id === this.selected); }
  /** Whether the frame on screen is the keyframe's. */
  get isAtKeyframe() { return Math.abs(this.page.time() - this.keyframe) <= 1 / this.page.data.fps + 1e-3; }
  get isActive() { return this.page.video.paused && this.isAtKeyframe; }

  /** What is drawn over the paused video. */
  drawn() {
    const {data, colourOf} = this.page;
    return (this.draft ?? this.persons).map(({id, box, labels}) => ({box, colour: colourOf(id), thin: id !== this.selected,
      hasHandles: id === this.selected, lines: [`#${id}`, ...labels.map((label) => data.classes[label])]}));
  }

  select(index) {
    this.selected = this.persons[index]?.id ?? null;
    this.show();
  }

  /** Makes the keyframe's frame visible before it is changed. */
  beginDrag() {
    if (this.isActive) return this.persons;
    this.page.video.pause();
    this.page.seek(this.keyframe);
    return null;
  }

  withBox(index, box) {
    if (index < 0) return [...this.persons, {id: this.session.nextId, box, labels: []}];
    return this.persons.map((person, k) => (k === index ? {...person, box} : person));
  }

  finishDrag(index, box) {
    this.draft = null;
    if (box === null) this.show();
    else if (index < 0) this.insert(box);
    else this.change(this.withBox(index, box));
  }

  change(persons, message = "") {
    this.session.change(this.keyframe, persons);
    this.show(message);
  }

  insert(box) {
    const persons = this.withBox(-1, box);
    this.selected = persons[persons.length - 1].id;
    this.change(persons);
    this.focusAction();
  }

  focusAction() { this.list.querySelector("li.selected input")?.focus(); }

  setLabels(index, labels) { this.change(this.persons.map((person, k) => (k === index ? {...person, labels} : person))); }

  remove(index) { if (index >= 0) this.change(this.persons.filter((_, k) => k !== index)); }

  moveSelected(resizes, dx, dy) {
    const index = this.selectedIndex;
    if (index >= 0) this.change(this.withBox(index, (resizes ? resizedBox : movedBox)(this.persons[index].box, dx * STEP, dy * STEP)));
  }

  accept() {
    const isAccepted = this.session.isAccepted(this.keyframe);
    this.session.setAccepted([this.keyframe], !isAccepted);
    if (isAccepted) this.show();
    else this.move(1);
  }

  acceptAll() {
    this.session.setAccepted(this.session.times, true);
    this.show();
  }

  undo() {
    this.session.undo();
    this.show();
  }

  move(direction) {
    const {times} = this.session, time = this.page.time(), isHere = this.isAtKeyframe;
    const at = isHere ? times.indexOf(this.keyframe) + direction : lastNotAfter(times, time) + (direction > 0 ? 1 : 0);
    this.page.video.pause();
    if (times[at] !== undefined) this.page.seek(times[at]);
    this.show();
  }

  merge(from, to) {
    const both = this.session.merge(from, to);
    if (both === undefined) this.selected = to;
    const at = both === undefined ? "" : clockText(both + this.page.data.timestampOffset, 1);
    this.show(both === undefined ? "" : `#${from} and #${to} are both at ${at}, so they are two persons`);
  }

  download() {
    const url = URL.createObjectURL(new Blob([this.session.csv()], {type: "text/csv"}));
    created("a", {href: url, download: `${this.session.edit.video}.corrected.csv`}).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    this.session.unsaved = false;
    this.show();
  }

  /** Redraws the panel and the boxes. */
  show(message = "") {
    const {session, keyframe} = this, accepted = session.acceptedTimes.length;
    const clock = clockText(keyframe + this.page.data.timestampOffset, 1);
    const status = session.isAccepted(keyframe) ? "accepted" : "proposed";
    this.state.textContent = `keyframe ${clock}: ${status}; ${accepted} of ${session.times.length} accepted`
      + (message ? `. ${message}` : session.unsaved ? "; not downloaded" : "");
    this.buttons.undo.disabled = !session.history.length;
    this.buttons.download.disabled = !accepted;
    this.buttons.accept.textContent = session.isAccepted(keyframe) ? "withdraw" : "accept";
    const ids = [...new Set([...session.set.tracks.map(({id}) => session.state.ids.get(id) ?? id), ...this.persons.map(({id}) => id)])];
    this.list.replaceChildren(...this.persons.map((person, index) => this.personItem(person, index, ids)));
    this.page.redraw();
  }

  personItem({id, labels}, index, ids) {
    const {data, colourOf} = this.page;
    const name = created("button", {className: "person", textContent: `#${id}`, title: "select this person (p: the next)"});
    name.style.borderLeft = `6px solid ${colourOf(id)}`;
    name.addEventListener("click", () => this.select(index));
    const chips = labels.map((label) => {
      const chip = created("button", {className: "chip", textContent: `${data.classes[label]} ×`, title: `delete ${data.classes[label]}`});
      chip.addEventListener("click", () => this.setLabels(index, labels.filter((other) => other !== label)));
      return chip;
    });
    const input = created("input", {placeholder: "add action", title: "add an action (a)"});
    input.setAttribute("list", "action-names");
    input.setAttribute("aria-label", `add an action of person ${id}`);
    input.addEventListener("change", () => {
      const label = data.classes.indexOf(input.value.trim());
      if (label < 0) return this.show(`there is no action ${JSON.stringify(input.value)}; choose one of the list`);
      this.setLabels(index, [...labels.filter((other) => other !== label), label]);
      return undefined;
    });
    const merge = created("select", {title: "one person was given two ids: join them"}, new Option("merge into", ""),
      ...ids.filter((other) => other !== id).sort((a, b) => a - b).map((other) => new Option(`#${other}`, other)));
    merge.setAttribute("aria-label", `merge person ${id} into`);
    merge.addEventListener("change", () => this.merge(id, Number(merge.value)));
    const remove = created("button", {textContent: "delete", title: "delete this box (Delete)"});
    remove.addEventListener("click", () => this.remove(index));
    return created("li", {className: id === this.selected ? "selected" : ""}, name, ...chips, input, merge, remove);
  }

  /** Handles a key of the edit mode; returns whether it did. */
  key(event) {
    const arrow = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    if (event.shiftKey && arrow) this.moveSelected(event.altKey, ...arrow);
    else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") this.undo();
    else if (event.ctrlKey || event.metaKey || event.altKey) return false;
    else if (event.key === "[") this.move(-1);
    else if (event.key === "]") this.move(1);
    else if (event.key === "Enter") this.accept();
    else if (event.key === "Delete" || event.key === "Backspace") this.remove(this.selectedIndex);
    else if (event.key === "i") this.buttons.insert.click();
    else if (event.key === "a") this.focusAction();
    else if (event.key === "p") this.select((this.selectedIndex + 1) % Math.max(this.persons.length, 1));
    else return false;
    return true;
  }
}
