// The timeline: one row per person and action above the spectrogram, on one time axis.

const ROW_HEIGHT = window.matchMedia("(pointer: coarse)").matches ? 32 : 20;
const ROW_FONT = `12px ${CANVAS_FONT}`;
const NARROW_CELL = 3; // pixels; narrower cells are merged, so that drawing costs no more on long videos

/** elements: {section, scroll, height, rows, spectrogram, cursor, tip}.
    actions: seek(time), choose(row) for a click on a label, describe(row, entry, time) for the text under the pointer. */
class Timeline {
  constructor(elements, {duration, timestampOffset}, spectrogram, actions) {
    Object.assign(this, {elements, duration, timestampOffset, spectrogram, actions, filter: null, selected: null,
      passing: [], rows: [], start: 0, end: duration, time: 0});
    spectrogram.onload = () => this.draw();
    elements.scroll.addEventListener("scroll", () => this.drawRows());
    new ResizeObserver(() => this.draw()).observe(elements.section);
    this.followPointer();
  }

  get width() { return this.elements.rows.clientWidth; }
  get gutter() { return Math.min(160, Math.max(104, this.width * 0.2)); }
  x(time) { return this.gutter + (time - this.start) / (this.end - this.start) * (this.width - this.gutter); }

  followPointer() {
    const {section, scroll, tip} = this.elements;
    section.addEventListener("pointerdown", (event) => {
      if (event.target === scroll) return; // its scroll bar
      const row = this.rowAt(event);
      if (this.pointerX(event) < this.gutter) {
        if (row) this.actions.choose(row);
        return;
      }
      section.setPointerCapture(event.pointerId);
      this.actions.seek(this.timeAt(event));
    });
    section.addEventListener("pointermove", (event) => {
      if (section.hasPointerCapture(event.pointerId)) this.actions.seek(this.timeAt(event));
      this.showTip(event);
    });
    section.addEventListener("pointerleave", () => { tip.hidden = true; });
  }

  pointerX(event) { return event.clientX - this.elements.section.getBoundingClientRect().left; }

  timeAt(event) {
    const fraction = (this.pointerX(event) - this.gutter) / (this.width - this.gutter);
    return Math.min(Math.max(this.start + fraction * (this.end - this.start), 0), this.duration);
  }

  rowAt(event) {
    const {scroll} = this.elements, y = event.clientY - scroll.getBoundingClientRect().top;
    return y < scroll.clientHeight ? this.rows[Math.floor((y + scroll.scrollTop) / ROW_HEIGHT)] : undefined;
  }

  /** The full label over the labels, the score over a cell. */
  showTip(event) {
    const {tip, section} = this.elements, row = this.rowAt(event), x = this.pointerX(event), time = this.timeAt(event);
    let text = row && x < this.gutter ? row.text : "";
    if (row && x >= this.gutter) {
      const margin = (this.end - this.start) / Math.max(this.width - this.gutter, 1);
      eachCell(row, this.filter, time - margin, time + margin, (start, end, entry, at) => {
        if (!text || (start <= time && time < end)) text = this.actions.describe(row, entry, at);
      });
    }
    tip.hidden = !text;
    tip.textContent = text;
    const place = section.getBoundingClientRect();
    tip.style.left = `${Math.max(Math.min(x + 12, place.width - tip.offsetWidth - 4), 0)}px`;
    tip.style.top = `${Math.max(event.clientY - place.top - 30, 2)}px`;
  }

  /** rows: as `rowsOf` returns them, with {text, colour, hollow}; all have a cell that passes the filter. */
  show(rows, filter) {
    Object.assign(this, {passing: rows, filter});
    this.foldEmptyRows();
    this.draw();
  }

  /** Shows the rows that have a cell in the time range. */
  foldEmptyRows() {
    const isZoomed = this.end - this.start < this.duration;
    this.rows = isZoomed ? this.passing.filter((row) => hasCell(row, this.filter, this.start, this.end)) : this.passing;
    this.elements.height.style.height = `${Math.max(this.rows.length, 1) * ROW_HEIGHT}px`;
  }

  /** Shows 1/factor of the time range, around the cursor. */
  zoom(factor) {
    const span = Math.min(Math.max((this.end - this.start) / factor, 0.5), this.duration);
    this.showRange(this.time - span / 2, span);
  }

  showRange(start, span) {
    this.start = Math.min(Math.max(start, 0), this.duration - span);
    this.end = this.start + span;
    this.foldEmptyRows();
    this.draw();
  }

  /** Selects a row, or none, and scrolls to it. */
  select(row) {
    this.selected = row;
    const at = this.rows.indexOf(row), {scroll} = this.elements;
    if (at >= 0) {
      const top = at * ROW_HEIGHT, bottom = top + ROW_HEIGHT;
      if (top < scroll.scrollTop) scroll.scrollTop = top;
      if (bottom > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = bottom - scroll.clientHeight;
    }
    this.drawRows();
  }

  /** Moves the cursor; a zoomed time range follows it. */
  moveTo(time) {
    this.time = time;
    const span = this.end - this.start;
    if (span < this.duration && (time < this.start || time > this.end)) this.showRange(time - span * 0.1, span);
    this.elements.cursor.style.transform = `translateX(${this.x(time)}px)`;
  }

  draw() {
    this.drawRows();
    this.spectrogram.draw(this);
    this.moveTo(this.time);
  }

  drawRows() {
    const {rows: canvas, scroll} = this.elements;
    const height = Math.min(Math.max(this.rows.length, 1) * ROW_HEIGHT, scroll.clientHeight || ROW_HEIGHT);
    canvas.style.height = `${height}px`;
    const context = clearedContext(canvas, this.width, height);
    context.font = ROW_FONT;
    const first = Math.floor(scroll.scrollTop / ROW_HEIGHT);
    const last = Math.min(this.rows.length, first + Math.ceil(height / ROW_HEIGHT) + 1);
    for (let k = first; k < last; k++) this.drawRow(context, this.rows[k], k * ROW_HEIGHT - scroll.scrollTop, k % 2);
    if (!this.rows.length) {
      context.fillStyle = themeColour("soft");
      context.fillText("no rows: lower the score or select more actions", 8, ROW_HEIGHT / 2);
    }
  }

  drawRow(context, row, y, odd) {
    const {gutter, width} = this, isSelected = row === this.selected;
    context.fillStyle = themeColour(isSelected ? "selected" : odd ? "stripe" : "raised");
    context.fillRect(0, y, width, ROW_HEIGHT);
    context.fillStyle = row.hollow ? themeColour("truth") : row.colour;
    if (row.hollow) this.drawCells(context, row, y + ROW_HEIGHT / 2 - 2, 4, () => 1);
    else if (this.filter.model !== BOTH_MODELS) {
      this.drawCells(context, row, y + 3, ROW_HEIGHT - 6, (entry) => 0.2 + 0.8 * this.filter.score(row.set, entry));
    } else {
      const half = (ROW_HEIGHT - 4) / 2;
      this.drawCells(context, row, y + 2, half, (entry) => row.set.scores[entry] / SCORE_STEPS);
      this.drawCells(context, row, y + 2 + half, half - 1, (entry) => row.set.others[entry] / SCORE_STEPS);
    }
    context.globalAlpha = 1;
    context.fillRect(0, y + 2, isSelected ? 6 : 4, ROW_HEIGHT - 4);
    context.fillStyle = themeColour("text");
    context.fillText(shortened(context, row.text, gutter - 16), 10, y + ROW_HEIGHT / 2);
  }

  /** Draws a row's cells with an opacity from 0 to 1; of several cells in one column of pixels, the strongest. */
  drawCells(context, row, y, height, opacityOf) {
    const {gutter, width} = this, columns = new Float32Array(Math.ceil(width) + 1);
    eachCell(row, this.filter, this.start, this.end, (start, end, entry) => {
      const left = Math.max(this.x(start), gutter), right = Math.min(this.x(end), width), opacity = opacityOf(entry);
      if (right - left < NARROW_CELL) {
        for (let x = Math.floor(left); x < Math.max(right, left + 1); x++) columns[x] = Math.max(columns[x], opacity);
      } else {
        context.globalAlpha = opacity;
        context.fillRect(left, y, right - left - (right - left > 4 ? 1 : 0), height);
      }
    });
    for (let x = Math.floor(gutter), start = x; x < columns.length; x++) {
      if (columns[x] === columns[start]) continue;
      if (columns[start]) this.fillColumns(context, start, x, columns[start], y, height);
      start = x;
    }
  }

  fillColumns(context, start, end, opacity, y, height) {
    context.globalAlpha = opacity;
    context.fillRect(start, y, end - start, height);
  }
}
