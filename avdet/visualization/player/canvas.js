// What all canvases share: resolution, colours of the theme, text.

const CANVAS_FONT = 'system-ui, "DejaVu Sans", "Noto Sans", sans-serif';
const darkTheme = window.matchMedia("(prefers-color-scheme: dark)");
let themeStyle = getComputedStyle(document.documentElement);

/** The colour of a CSS variable of style.css: text, soft, stripe, truth, wrong, cursor. */
const themeColour = (name) => themeStyle.getPropertyValue(`--${name}`).trim();

/** Gives a canvas the screen's resolution; returns its context, cleared, with CSS pixels as units. */
function clearedContext(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.textBaseline = "middle";
  return context;
}

/** The text, shortened with an ellipsis to fit into `width`. */
function shortened(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 0 && context.measureText(text.slice(0, end) + "…").width > width) end--;
  return text.slice(0, end) + "…";
}

/** m:ss or h:mm:ss, with decimals: 62.46 with one is "1:02.5". */
function clockText(time, decimals) {
  const rounded = Number(Math.max(time, 0).toFixed(decimals));
  const hours = Math.floor(rounded / 3600), minutes = Math.floor(rounded / 60) % 60;
  const seconds = (rounded - 3600 * hours - 60 * minutes).toFixed(decimals).padStart(decimals ? 3 + decimals : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}
