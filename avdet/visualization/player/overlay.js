// Boxes and plates on a canvas over the video.

const TRUTH = "#ffffff", PLATE = "rgba(16, 16, 20, 0.72)", INK = "#fafafa";

/** Makes a canvas as fine as the screen; returns its context, in CSS pixels, cleared. */
function freshContext(canvas, width, height) {
  const fine = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * fine), Math.round(height * fine)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(fine, 0, 0, fine, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** The text, or as much of it as fits, with an ellipsis. */
function fitted(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 0 && context.measureText(text.slice(0, end) + "…").width > width) end--;
  return text.slice(0, end) + "…";
}

/** people: [{colour, box, lines, thin}], boxes normalised. */
function drawPeople(canvas, people) {
  const {clientWidth: width, clientHeight: height} = canvas;
  const context = freshContext(canvas, width, height);
  const size = Math.max(11, Math.min(16, Math.min(width, height) / 26));
  context.font = `${size}px system-ui, "DejaVu Sans", sans-serif`;
  context.textBaseline = "middle";
  const shown = people.map((person) => ({...person, place: pixels(person.box, width, height)}));
  for (const person of shown) drawBox(context, person);
  const taken = [];
  for (const person of shown) taken.push(drawPlate(context, person, size, taken, width, height));
}

function pixels([x1, y1, x2, y2], width, height) {
  const inside = (side) => Math.min(Math.max(side, 0), 1);
  return [inside(x1) * width, inside(y1) * height, inside(x2) * width, inside(y2) * height];
}

function drawBox(context, {place: [left, top, right, bottom], colour, thin}) {
  const line = thin ? 1.5 : 3;
  for (const [style, width] of [["rgba(0, 0, 0, 0.7)", line + 2], [colour, line]]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.strokeRect(left + 2, top + 2, Math.max(right - left - 4, 1), Math.max(bottom - top - 4, 1));
  }
}

/** Above the box, below it, or in its corners: wherever it hides the least of other plates. */
function drawPlate(context, {place: [left, top, right, bottom], colour, lines}, size, taken, width, height) {
  const pad = size * 0.4, step = size * 1.25;
  const texts = lines.map((line) => fitted(context, line, width - 3 * pad));
  const w = Math.max(...texts.map((text) => context.measureText(text).width)) + 3 * pad;
  const h = texts.length * step + pad;
  const corners = [[left, top - h], [right - w, top - h], [left, bottom], [right - w, bottom], [left, bottom - h],
    [right - w, bottom - h], [left, top]];
  const [x, y] = corners
    .map(([x, y]) => [Math.max(Math.min(x, width - w), 0), Math.max(Math.min(y, height - h), 0)])
    .map((at) => [taken.reduce((sum, other) => sum + shared(other, [...at, w, h]), 0), at])
    .reduce((least, one) => (one[0] < least[0] ? one : least))[1];
  context.fillStyle = PLATE;
  context.fillRect(x, y, w, h);
  context.fillStyle = colour;
  context.fillRect(x, y, pad * 0.7, h);
  context.fillStyle = INK;
  texts.forEach((text, row) => context.fillText(text, x + 2 * pad, y + pad / 2 + (row + 0.5) * step));
  return [x, y, w, h];
}

function shared([ax, ay, aw, ah], [bx, by, bw, bh]) {
  const wide = Math.min(ax + aw, bx + bw) - Math.max(ax, bx), high = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  return Math.max(wide, 0) * Math.max(high, 0);
}
