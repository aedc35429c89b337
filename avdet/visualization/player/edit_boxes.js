// Boxes under the pointer and the keys: draw a new one, move one, drag a corner.

const MIN_SIDE = 0.01; // a smaller new box is a click

const within = (value) => Math.min(Math.max(value, 0), 1);
const sortedBox = ([x1, y1, x2, y2]) => [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];

/** The box moved by (dx, dy), not beyond the frame. */
function movedBox([x1, y1, x2, y2], dx, dy) {
  const x = Math.min(Math.max(dx, -x1), 1 - x2), y = Math.min(Math.max(dy, -y1), 1 - y2);
  return [x1 + x, y1 + y, x2 + x, y2 + y];
}

/** The box with its lower right corner moved. */
function resizedBox([x1, y1, x2, y2], dx, dy) {
  return [x1, y1, Math.max(within(x2 + dx), x1 + MIN_SIDE), Math.max(within(y2 + dy), y1 + MIN_SIDE)];
}

/** Calls actions.begin() -> [{box}] or null at the start of a drag, select(index), preview(index, box) and
    finish(index, box); index -1 is a new box. */
class BoxPointer {
  constructor(canvas, actions) {
    Object.assign(this, {canvas, actions, drag: null});
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => {
      if (this.drag) actions.preview(this.drag.index, this.boxAt(event));
    });
    canvas.addEventListener("pointerup", (event) => this.finish(event));
    canvas.addEventListener("pointercancel", () => { this.drag = null; });
  }

  place(event) {
    const {left, top, width, height} = this.canvas.getBoundingClientRect();
    return [within((event.clientX - left) / width), within((event.clientY - top) / height)];
  }

  begin(event) {
    const persons = this.actions.begin();
    if (event.button !== 0 || persons === null) return;
    const from = this.place(event);
    this.canvas.setPointerCapture(event.pointerId);
    this.drag = this.cornerAt(persons, from) || this.insideAt(persons, from) || {index: -1, from, kind: "new"};
    this.actions.select(this.drag.index);
  }

  /** The drag of a box's corner at this place: the opposite corner stays. */
  cornerAt(persons, [x, y]) {
    const {clientWidth, clientHeight} = this.canvas, reach = 2 * HANDLE;
    for (let index = 0; index < persons.length; index++) {
      const [x1, y1, x2, y2] = persons[index].box;
      for (const [cornerX, cornerY, otherX, otherY] of [[x1, y1, x2, y2], [x2, y1, x1, y2], [x1, y2, x2, y1], [x2, y2, x1, y1]]) {
        if (Math.abs(x - cornerX) * clientWidth <= reach && Math.abs(y - cornerY) * clientHeight <= reach) {
          return {index, from: [otherX, otherY], kind: "new"};
        }
      }
    }
    return null;
  }

  /** The drag of the smallest box around this place. */
  insideAt(persons, from) {
    const [x, y] = from, area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
    const inside = persons.map(({box}, index) => ({box, index, from, kind: "move"}))
      .filter(({box: [x1, y1, x2, y2]}) => x1 <= x && x <= x2 && y1 <= y && y <= y2);
    return inside.sort((a, b) => area(a.box) - area(b.box))[0] || null;
  }

  boxAt(event) {
    const [x, y] = this.place(event), {kind, from, box} = this.drag;
    return kind === "move" ? movedBox(box, x - from[0], y - from[1]) : sortedBox([...from, x, y]);
  }

  finish(event) {
    if (!this.drag) return;
    const {index, kind, from} = this.drag, box = this.boxAt(event), [x, y] = this.place(event);
    this.drag = null;
    const isClick = Math.hypot(x - from[0], y - from[1]) < 0.003;
    const isSmall = box[2] - box[0] < MIN_SIDE || box[3] - box[1] < MIN_SIDE;
    this.actions.finish(index, (kind === "move" && isClick) || isSmall ? null : box);
  }
}
