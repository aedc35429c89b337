// Draws boxes and labels on a canvas over the video.

const GROUND_TRUTH_COLOUR = "#ffffff", LABEL_BACKGROUND = "rgba(16, 16, 20, 0.72)", LABEL_COLOUR = "#fafafa";
const HANDLE = 5; // half the side of a corner's handle, in pixels
const MAX_COVERED = 0.25; // of the frame, by all labels
const SCORES = /( \d\.\d\d)?( \/ \d\.\d\d)?$/;
const LEFT_TO_RIGHT = "\u200e"; // keeps a score behind a name in Arabic or Hebrew

/** persons: [{colour, box, lines, thin, hasHandles}], boxes normalised. */
function drawPersons(canvas, persons) {
  const {clientWidth: width, clientHeight: height} = canvas;
  const context = clearedContext(canvas, width, height);
  const textSize = Math.max(11, Math.min(16, Math.min(width, height) / 26));
  context.font = `${textSize}px ${CANVAS_FONT}`;
  const placed = persons.map((person) => ({...person, pixels: boxInPixels(person.box, width, height)}));
  for (const person of placed) drawBox(context, person);
  const pad = textSize * 0.4, lineHeight = textSize * 1.25;
  const size = (lines) => [Math.max(...lines.map((line) => context.measureText(line).width)) + 3 * pad,
    lines.length * lineHeight + pad];
  const fitted = placed.map(({lines}) => lines.map((line) => fittedLine(context, line, width / 2 - 3 * pad)));
  const texts = linesWithRoom(placed.map(({pixels}) => pixels), fitted, size, MAX_COVERED * width * height);
  const labels = [];
  for (const [index, person] of placed.entries()) {
    if (texts[index].length) labels.push(drawLabel(context, person, texts[index], size, labels, width, height, pad));
  }
}

/** The line; if it is wider than `width` its name is shortened, never its scores. */
function fittedLine(context, line, width) {
  const scores = line.match(SCORES)[0], name = line.slice(0, line.length - scores.length);
  return shortened(context, name, width - context.measureText(scores).width) + LEFT_TO_RIGHT + scores;
}

/**
 * The lines of each person's label, so that all cover at most `maxArea`: all, the first alone, or the first word, which
 * is the id; then the smallest boxes have none. size(lines): [width, height].
 */
function linesWithRoom(boxes, linesOf, size, maxArea) {
  const area = (lines) => (lines.length ? size(lines).reduce((width, height) => width * height) : 0);
  const total = (all) => all.reduce((sum, lines) => sum + area(lines), 0);
  const levels = [linesOf, linesOf.map((lines) => lines.slice(0, 1)),
    linesOf.map((lines) => lines.slice(0, 1).map((line) => line.split(" ")[0]))];
  const chosen = levels.find((all) => total(all) <= maxArea);
  if (chosen) return chosen;
  const boxArea = ([left, top, right, bottom]) => (right - left) * (bottom - top);
  const largestFirst = [...boxes.keys()].sort((a, b) => boxArea(boxes[b]) - boxArea(boxes[a]));
  const shown = boxes.map(() => []);
  let covered = 0;
  for (const index of largestFirst) {
    covered += area(levels[2][index]);
    if (covered <= maxArea) shown[index] = levels[2][index];
  }
  return shown;
}

function boxInPixels([x1, y1, x2, y2], width, height) {
  const clip = (side) => Math.min(Math.max(side, 0), 1);
  return [clip(x1) * width, clip(y1) * height, clip(x2) * width, clip(y2) * height];
}

function drawBox(context, {pixels: [left, top, right, bottom], colour, thin, hasHandles}) {
  const line = thin ? 1.5 : 3;
  for (const [style, width] of [["rgba(0, 0, 0, 0.7)", line + 2], [colour, line]]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.strokeRect(left + 2, top + 2, Math.max(right - left - 4, 1), Math.max(bottom - top - 4, 1));
  }
  if (!hasHandles) return;
  for (const x of [left, right]) {
    for (const y of [top, bottom]) {
      context.fillStyle = "#000";
      context.fillRect(x - HANDLE - 1, y - HANDLE - 1, 2 * HANDLE + 2, 2 * HANDLE + 2);
      context.fillStyle = colour;
      context.fillRect(x - HANDLE, y - HANDLE, 2 * HANDLE, 2 * HANDLE);
    }
  }
}

/** Places the label above the box, below it or in its corners, where it covers least of the other `labels`. */
function drawLabel(context, {pixels: [left, top, right, bottom], colour}, texts, size, labels, width, height, pad) {
  const [w, h] = size(texts), lineHeight = (h - pad) / texts.length;
  const corners = [[left, top - h], [right - w, top - h], [left, bottom], [right - w, bottom], [left, bottom - h],
    [right - w, bottom - h], [left, top]];
  const [x, y] = corners
    .map(([x, y]) => [Math.max(Math.min(x, width - w), 0), Math.max(Math.min(y, height - h), 0)])
    .map((at) => [labels.reduce((sum, other) => sum + intersection(other, [...at, w, h]), 0), at])
    .reduce((best, candidate) => (candidate[0] < best[0] ? candidate : best))[1];
  context.fillStyle = LABEL_BACKGROUND;
  context.fillRect(x, y, w, h);
  context.fillStyle = colour;
  context.fillRect(x, y, pad * 0.7, h);
  context.fillStyle = LABEL_COLOUR;
  texts.forEach((text, row) => context.fillText(text, x + 2 * pad, y + pad / 2 + (row + 0.5) * lineHeight));
  return [x, y, w, h];
}

function intersection([ax, ay, aw, ah], [bx, by, bw, bh]) {
  const width = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const height = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  return Math.max(width, 0) * Math.max(height, 0);
}
