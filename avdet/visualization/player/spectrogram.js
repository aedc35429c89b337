// The spectrogram below the rows, and the time axis: an overview of the whole video, and tiles that are drawn where the
// zoomed time range needs more detail.

const SPECTROGRAM_HEIGHT = 92, AXIS_HEIGHT = 18;
const TICK_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];

class Spectrogram {
  /** urls: {overview, tiles: [..]} or null without audio; the tiles have equal durations. */
  constructor(canvas, urls, duration) {
    Object.assign(this, {canvas, duration, onload: () => {}});
    this.overview = urls ? this.load(urls.overview) : null;
    this.tiles = urls ? urls.tiles.map((url) => ({url, image: null})) : [];
  }

  load(url) {
    const image = new Image();
    image.onload = () => this.onload();
    image.src = url;
    return image;
  }

  /** timeline: {start, end, width, gutter, x(time), timestampOffset} */
  draw(timeline) {
    const {gutter, width} = timeline, height = SPECTROGRAM_HEIGHT - AXIS_HEIGHT;
    const context = clearedContext(this.canvas, width, SPECTROGRAM_HEIGHT);
    context.font = ROW_FONT;
    context.fillStyle = themeColour("soft");
    context.fillText(this.overview ? "audio" : "no audio", 10, height / 2);
    if (this.overview) {
      this.drawImage(context, timeline, this.overview, 0, this.duration);
      const columns = this.overview.naturalWidth / this.duration * (timeline.end - timeline.start);
      if (columns < width - gutter) this.drawTiles(context, timeline);
    }
    this.drawAxis(context, timeline, height);
  }

  drawTiles(context, timeline) {
    const span = this.duration / this.tiles.length;
    this.tiles.forEach((tile, k) => {
      if ((k + 1) * span <= timeline.start || k * span >= timeline.end) return;
      tile.image = tile.image || this.load(tile.url);
      this.drawImage(context, timeline, tile.image, k * span, (k + 1) * span);
    });
  }

  /** Draws the part of the image, which spans `from` to `to`, that lies in the time range. */
  drawImage(context, timeline, image, from, to) {
    if (!image.complete || !image.naturalWidth) return;
    const start = Math.max(from, timeline.start), end = Math.min(to, timeline.end);
    const scale = image.naturalWidth / (to - from), left = timeline.x(start), right = timeline.x(end);
    context.drawImage(image, (start - from) * scale, 0, (end - start) * scale, image.naturalHeight,
      left, 2, right - left, SPECTROGRAM_HEIGHT - AXIS_HEIGHT - 4);
  }

  drawAxis(context, timeline, top) {
    const {start, end, width, gutter, timestampOffset} = timeline;
    const maxTicks = Math.max((width - gutter) / 70, 1);
    const step = TICK_STEPS.find((seconds) => (end - start) / seconds <= maxTicks) || 7200;
    context.fillStyle = themeColour("soft");
    for (let k = Math.ceil(start / step - 1e-9); k * step <= end + 1e-9; k++) {
      const x = timeline.x(k * step), text = clockText(k * step + timestampOffset, step < 1 ? 1 : 0);
      context.fillRect(Math.min(x, width - 1), top, 1, 4);
      const textWidth = context.measureText(text).width;
      context.fillText(text, Math.min(Math.max(x - textWidth / 2, gutter), width - textWidth - 2), top + 11);
    }
  }
}
