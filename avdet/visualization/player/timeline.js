// The timeline: one row per person and action above the spectrogram, on one time axis; clicking and dragging seek.

const ROW_HEIGHT = 20, SPECTROGRAM_HEIGHT = 92, AXIS_HEIGHT = 18;
const TIMELINE_FONT = '12px system-ui, "DejaVu Sans", sans-serif', SOFT_COLOUR = "#9aa0b0";

/** One row per person and action, [{id, index, highest, cells: [[start, end, score]]}], persons by first time. */
function timelineRows({halfInterval, tracks}, filter) {
  const sorted = [...tracks].sort((a, b) => a.times[0] - b.times[0]);
  return sorted.flatMap((track) => {
    const rows = new Map();
    track.times.forEach((time, k) => {
      const halfDistance = (other) => (other === undefined ? Infinity : Math.abs(other - time) / 2);
      const start = time - Math.min(halfInterval, halfDistance(track.times[k - 1]));
      const end = time + Math.min(halfInterval, halfDistance(track.times[k + 1]));
      for (const [index, score] of filterScores(track.scores[k], filter)) {
        if (!rows.has(index)) rows.set(index, {id: track.id, index, highest: 0, cells: []});
        const row = rows.get(index);
        row.highest = Math.max(row.highest, score);
        row.cells.push([start, end, score]);
      }
    });
    return [...rows.values()].sort((a, b) => b.highest - a.highest);
  });
}

/** elements: {section, scroll, height, rows, spectrogram, cursor}; seek(time) is called for clicks. */
class Timeline {
  constructor(elements, {duration, spectrogram, timestampOffset}, seek) {
    Object.assign(this, {elements, duration, timestampOffset, rows: [], start: 0, end: duration, time: 0});
    if (spectrogram) {
      this.image = new Image();
      this.image.onload = () => this.draw();
      this.image.src = spectrogram;
    }
    elements.scroll.addEventListener("scroll", () => this.drawRows());
    new ResizeObserver(() => this.draw()).observe(elements.section);
    elements.section.addEventListener("pointerdown", (event) => {
      if (event.target === elements.scroll) return; // its scroll bar
      elements.section.setPointerCapture(event.pointerId);
      seek(this.timeAt(event));
    });
    elements.section.addEventListener("pointermove", (event) => {
      if (elements.section.hasPointerCapture(event.pointerId)) seek(this.timeAt(event));
    });
  }

  get width() { return this.elements.rows.clientWidth; }
  get gutter() { return Math.min(160, Math.max(104, this.width * 0.2)); }
  x(time) { return this.gutter + (time - this.start) / (this.end - this.start) * (this.width - this.gutter); }

  timeAt(event) {
    const x = event.clientX - this.elements.section.getBoundingClientRect().left;
    const time = this.start + (x - this.gutter) / (this.width - this.gutter) * (this.end - this.start);
    return Math.min(Math.max(time, 0), this.duration);
  }

  /** rows: [{text, colour, hollow, cells: [[start, end, score]]}] */
  show(rows) {
    this.rows = rows;
    this.elements.height.style.height = `${Math.max(rows.length, 1) * ROW_HEIGHT}px`;
    this.draw();
  }

  /** Shows 1/factor of the time range, around the cursor. */
  zoom(factor) {
    const span = Math.min(Math.max((this.end - this.start) / factor, 0.5), this.duration);
    this.start = Math.min(Math.max(this.time - span / 2, 0), this.duration - span);
    this.end = this.start + span;
    this.draw();
  }

  /** Moves the cursor; a zoomed time range follows it. */
  moveTo(time) {
    this.time = time;
    const span = this.end - this.start;
    if (span < this.duration && (time < this.start || time > this.end)) {
      this.start = Math.min(Math.max(time - span * 0.1, 0), this.duration - span);
      this.end = this.start + span;
      this.draw();
    }
    this.elements.cursor.style.transform = `translateX(${this.x(time)}px)`;
  }

  draw() {
    this.drawRows();
    this.drawSpectrogram();
    this.moveTo(this.time);
  }

  drawRows() {
    const {rows: canvas, scroll} = this.elements;
    const height = Math.min(Math.max(this.rows.length, 1) * ROW_HEIGHT, scroll.clientHeight || ROW_HEIGHT);
    canvas.style.height = `${height}px`;
    const context = clearedContext(canvas, this.width, height);
    context.font = TIMELINE_FONT;
    context.textBaseline = "middle";
    const first = Math.floor(scroll.scrollTop / ROW_HEIGHT);
    const last = Math.min(this.rows.length, first + Math.ceil(height / ROW_HEIGHT) + 1);
    for (let k = first; k < last; k++) this.drawRow(context, this.rows[k], k * ROW_HEIGHT - scroll.scrollTop, k % 2);
    if (!this.rows.length) {
      context.fillStyle = SOFT_COLOUR;
      context.fillText("no rows: lower the score or select more actions", 8, ROW_HEIGHT / 2);
    }
  }

  drawRow(context, row, y, odd) {
    const {gutter, width} = this;
    context.fillStyle = odd ? "rgba(255, 255, 255, 0.03)" : "rgba(0, 0, 0, 0.12)";
    context.fillRect(0, y, width, ROW_HEIGHT);
    context.fillStyle = row.colour;
    for (const [start, end, score] of row.cells) {
      if (end < this.start || start > this.end) continue;
      const left = Math.max(this.x(start), gutter), right = Math.min(this.x(end), width);
      context.globalAlpha = row.hollow ? 1 : 0.2 + 0.8 * score;
      const [top, height] = row.hollow ? [y + ROW_HEIGHT / 2 - 2, 4] : [y + 3, ROW_HEIGHT - 6];
      context.fillRect(left, top, Math.max(right - left - (right - left > 4 ? 1 : 0), 1), height);
    }
    context.globalAlpha = 1;
    context.fillRect(0, y + 2, 4, ROW_HEIGHT - 4);
    context.fillStyle = "#eceef4";
    context.fillText(shortened(context, row.text, gutter - 16), 10, y + ROW_HEIGHT / 2);
  }

  drawSpectrogram() {
    const {gutter, width} = this;
    const context = clearedContext(this.elements.spectrogram, width, SPECTROGRAM_HEIGHT);
    const height = SPECTROGRAM_HEIGHT - AXIS_HEIGHT;
    context.font = TIMELINE_FONT;
    context.fillStyle = SOFT_COLOUR;
    context.textBaseline = "middle";
    context.fillText(this.image ? "audio" : "no audio", 10, height / 2);
    if (this.image && this.image.complete && this.image.naturalWidth) {
      const scale = this.image.naturalWidth / this.duration;
      const [left, shown] = [this.start * scale, (this.end - this.start) * scale];
      context.drawImage(this.image, left, 0, shown, this.image.naturalHeight, gutter, 2, width - gutter, height - 4);
    }
    this.drawAxis(context, height);
  }

  drawAxis(context, top) {
    const span = this.end - this.start, maxTicks = Math.max((this.width - this.gutter) / 70, 1);
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800].find((s) => span / s <= maxTicks) || 3600;
    context.fillStyle = SOFT_COLOUR;
    for (let k = Math.ceil(this.start / step - 1e-9); k * step <= this.end + 1e-9; k++) {
      const x = this.x(k * step), text = clockText(k * step + this.timestampOffset, step < 1 ? 1 : 0);
      context.fillRect(Math.min(x, this.width - 1), top, 1, 4);
      const textWidth = context.measureText(text).width;
      context.fillText(text, Math.min(Math.max(x - textWidth / 2, this.gutter), this.width - textWidth - 2), top + 11);
    }
  }
}

/** m:ss, with decimals: 62.46 with one is "1:02.5". */
function clockText(time, decimals) {
  const rounded = Number(Math.max(time, 0).toFixed(decimals));
  const minutes = Math.floor(rounded / 60);
  return `${minutes}:${(rounded - 60 * minutes).toFixed(decimals).padStart(decimals ? 3 + decimals : 2, "0")}`;
}
