// A row a person and action over the spectrogram, one time axis for both; clicking and dragging seek.

const ROW = 20, SOUND = 92, AXIS = 18;

/** parts: {section, scroll, height, rows, sound, cursor}; seek(time) is called for clicks. */
class Timeline {
  constructor(parts, duration, spectrogram, seek) {
    Object.assign(this, {parts, duration, rows: [], start: 0, end: duration, time: 0});
    if (spectrogram) {
      this.image = new Image();
      this.image.onload = () => this.draw();
      this.image.src = spectrogram;
    }
    parts.scroll.addEventListener("scroll", () => this.drawRows());
    new ResizeObserver(() => this.draw()).observe(parts.section);
    parts.section.addEventListener("pointerdown", (event) => {
      if (event.target === parts.scroll) return; // its scroll bar
      parts.section.setPointerCapture(event.pointerId);
      seek(this.timeAt(event));
    });
    parts.section.addEventListener("pointermove", (event) => {
      if (parts.section.hasPointerCapture(event.pointerId)) seek(this.timeAt(event));
    });
  }

  get width() { return this.parts.rows.clientWidth; }
  get gutter() { return Math.min(160, Math.max(104, this.width * 0.2)); }
  x(time) { return this.gutter + (time - this.start) / (this.end - this.start) * (this.width - this.gutter); }

  timeAt(event) {
    const x = event.clientX - this.parts.section.getBoundingClientRect().left;
    const time = this.start + (x - this.gutter) / (this.width - this.gutter) * (this.end - this.start);
    return Math.min(Math.max(time, 0), this.duration);
  }

  /** rows: [{text, colour, hollow, cells: [[start, end, score]]}] */
  show(rows) {
    this.rows = rows;
    this.parts.height.style.height = `${Math.max(rows.length, 1) * ROW}px`;
    this.draw();
  }

  /** Shows 1/factor of the time, around the cursor. */
  zoom(factor) {
    const span = Math.min(Math.max((this.end - this.start) / factor, 0.5), this.duration);
    this.start = Math.min(Math.max(this.time - span / 2, 0), this.duration - span);
    this.end = this.start + span;
    this.draw();
  }

  /** Moves the cursor; a part of the time that is shown follows it. */
  moveTo(time) {
    this.time = time;
    const span = this.end - this.start;
    if (span < this.duration && (time < this.start || time > this.end)) {
      this.start = Math.min(Math.max(time - span * 0.1, 0), this.duration - span);
      this.end = this.start + span;
      this.draw();
    }
    this.parts.cursor.style.transform = `translateX(${this.x(time)}px)`;
  }

  draw() {
    this.drawRows();
    this.drawSound();
    this.moveTo(this.time);
  }

  drawRows() {
    const {rows: canvas, scroll} = this.parts;
    const height = Math.min(Math.max(this.rows.length, 1) * ROW, scroll.clientHeight || ROW);
    canvas.style.height = `${height}px`;
    const context = freshContext(canvas, this.width, height);
    context.font = '12px system-ui, "DejaVu Sans", sans-serif';
    context.textBaseline = "middle";
    const first = Math.floor(scroll.scrollTop / ROW);
    const last = Math.min(this.rows.length, first + Math.ceil(height / ROW) + 1);
    for (let k = first; k < last; k++) this.drawRow(context, this.rows[k], k * ROW - scroll.scrollTop, k % 2);
    if (!this.rows.length) {
      context.fillStyle = "#9aa0b0";
      context.fillText("no row: lower the score or choose more actions", 8, ROW / 2);
    }
  }

  drawRow(context, row, y, odd) {
    const {gutter, width} = this;
    context.fillStyle = odd ? "rgba(255, 255, 255, 0.03)" : "rgba(0, 0, 0, 0.12)";
    context.fillRect(0, y, width, ROW);
    context.fillStyle = row.colour;
    for (const [start, end, score] of row.cells) {
      if (end < this.start || start > this.end) continue;
      const left = Math.max(this.x(start), gutter), right = Math.min(this.x(end), width);
      context.globalAlpha = row.hollow ? 1 : 0.2 + 0.8 * score;
      const [top, high] = row.hollow ? [y + ROW / 2 - 2, 4] : [y + 3, ROW - 6];
      context.fillRect(left, top, Math.max(right - left - (right - left > 4 ? 1 : 0), 1), high);
    }
    context.globalAlpha = 1;
    context.fillRect(0, y + 2, 4, ROW - 4);
    context.fillStyle = "#eceef4";
    context.fillText(fitted(context, row.text, gutter - 16), 10, y + ROW / 2);
  }

  drawSound() {
    const {gutter, width} = this;
    const context = freshContext(this.parts.sound, width, SOUND);
    const high = SOUND - AXIS;
    context.font = '12px system-ui, "DejaVu Sans", sans-serif';
    context.fillStyle = "#9aa0b0";
    context.textBaseline = "middle";
    context.fillText(this.image ? "sound" : "no sound", 10, high / 2);
    if (this.image && this.image.complete && this.image.naturalWidth) {
      const scale = this.image.naturalWidth / this.duration;
      const [from, wide] = [this.start * scale, (this.end - this.start) * scale];
      context.drawImage(this.image, from, 0, wide, this.image.naturalHeight, gutter, 2, width - gutter, high - 4);
    }
    this.drawAxis(context, high);
  }

  drawAxis(context, top) {
    const span = this.end - this.start, most = Math.max((this.width - this.gutter) / 70, 1);
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800].find((s) => span / s <= most) || 3600;
    context.fillStyle = "#9aa0b0";
    for (let k = Math.ceil(this.start / step - 1e-9); k * step <= this.end + 1e-9; k++) {
      const x = this.x(k * step), text = clockText(k * step + this.origin, step < 1 ? 1 : 0);
      context.fillRect(Math.min(x, this.width - 1), top, 1, 4);
      const wide = context.measureText(text).width;
      context.fillText(text, Math.min(Math.max(x - wide / 2, this.gutter), this.width - wide - 2), top + 11);
    }
  }
}

Timeline.prototype.origin = 0;

/** 62.46 with one digit is 1:02.5 */
function clockText(time, digits) {
  const rounded = Number(Math.max(time, 0).toFixed(digits));
  const minutes = Math.floor(rounded / 60);
  return `${minutes}:${(rounded - 60 * minutes).toFixed(digits).padStart(digits ? 3 + digits : 2, "0")}`;
}
