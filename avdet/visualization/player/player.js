// The page's parts put together.

const data = JSON.parse(document.getElementById("data").textContent);
const part = (id) => document.getElementById(id);
const video = part("video"), canvas = part("boxes"), thresholdSlider = part("threshold");
const filter = {threshold: data.threshold, classes: data.classes.map(() => true)};
const timeline = new Timeline(
  {section: part("timeline"), scroll: part("scroll"), height: part("height"), rows: part("rows"), sound: part("sound"),
    cursor: part("cursor")},
  data.duration, data.spectrogram, seek);
timeline.origin = data.origin;
let time = 0; // of the picture on screen

const colourOf = (id) => data.palette[id % data.palette.length];
const truthShown = () => data.truth !== null && part("truth").checked;
const truthFilter = () => ({threshold: 0, classes: filter.classes});

function onScreen() {
  const people = peopleAt(data.detected, time, filter).map(({id, box, scores}) => {
    const lines = scores.slice(0, data.top).map(([index, score]) => `${data.classes[index]} ${score.toFixed(2)}`);
    lines[0] = `#${id} ${lines[0]}`;
    return {box, lines, colour: colourOf(id), thin: false};
  });
  const truth = !truthShown() ? [] : peopleAt(data.truth, time, truthFilter()).map(({box, scores}) => {
    const lines = scores.map(([index]) => data.classes[index]);
    lines[0] = `truth ${lines[0]}`;
    return {box, lines, colour: TRUTH, thin: true};
  });
  return [...truth, ...people];
}

function drawNow() {
  const people = onScreen();
  drawPeople(canvas, people);
  timeline.moveTo(time);
  part("clock").textContent = `${clockText(time + data.origin, 1)} / ${clockText(data.duration + data.origin, 1)}`;
  canvas.dataset.people = JSON.stringify(people.map(({box, lines}) => ({box, lines})));
}

function drawAll() {
  const rows = rowsOf(data.detected, filter).map((row) => (
    {...row, text: `#${row.id} ${data.classes[row.index]}`, colour: colourOf(row.id), hollow: false}));
  const truth = !truthShown() ? [] : rowsOf(data.truth, truthFilter()).map((row) => (
    {...row, text: `truth ${data.classes[row.index]}`, colour: TRUTH, hollow: true}));
  timeline.show([...rows, ...truth]);
  part("level").textContent = filter.threshold.toFixed(2);
  part("state").textContent = `${new Set(rows.map((row) => row.id)).size} people`;
  countClasses(rows);
  explain(rows);
  drawNow();
}

let failure = null; // why the video does not play

/** Says why nothing is drawn. */
function explain(rows) {
  const highest = Math.max(0, ...data.detected.tracks.map((t) => Math.max(...t.scores.map((all) => all[0][1]))));
  const hidden = filter.classes.every(Boolean)
    ? `nothing is drawn: no score over ${filter.threshold.toFixed(2)}; highest ${highest.toFixed(2)}`
    : "nothing is drawn: no action that is ticked has such a score";
  say(failure || data.nothing || (rows.length ? null : hidden));
}

function say(sentence) {
  part("note").hidden = !sentence;
  part("note").textContent = sentence || "";
}

function countClasses(rows) {
  const counts = data.classes.map(() => 0);
  for (const row of rows) counts[row.index] += row.cells.length;
  part("classes").querySelectorAll(".many").forEach((cell, index) => { cell.textContent = counts[index] || ""; });
}

function listClasses() {
  data.classes.forEach((name, index) => {
    const label = document.createElement("label"), box = document.createElement("input");
    const what = document.createElement("span"), many = document.createElement("span");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => { filter.classes[index] = box.checked; drawAll(); });
    [what.className, what.textContent, what.title, many.className] = ["what", name, name, "many"];
    label.append(box, what, many);
    part("classes").append(label);
  });
  for (const [id, on] of [["all", true], ["none", false]]) {
    part(id).addEventListener("click", () => {
      filter.classes.fill(on);
      part("classes").querySelectorAll("input").forEach((box) => { box.checked = on; });
      drawAll();
    });
  }
}

function seek(to) {
  time = Math.min(Math.max(to, 0), data.duration);
  video.currentTime = time;
  drawNow();
}

/** To the middle of the frame that is `count` further, so that rounding shows no other one. */
function step(count) {
  video.pause();
  seek((Math.floor(video.currentTime * data.fps + 1e-3) + count + 0.5) / data.fps);
}

function setThreshold(value) {
  filter.threshold = Math.min(Math.max(Math.round(value * 100) / 100, 0.02), 1);
  thresholdSlider.value = filter.threshold;
  drawAll();
}

const togglePlay = () => (video.paused ? video.play().catch(() => {}) : video.pause());

function follow() {
  const each = (at) => { time = at; drawNow(); };
  video.addEventListener("seeked", () => { // a browser may show a frame without calling back
    if (Math.abs(video.currentTime - time) > 1 / data.fps) each(video.currentTime);
  });
  if (video.requestVideoFrameCallback) {
    const next = (_, frame) => { each(frame.mediaTime); video.requestVideoFrameCallback(next); };
    video.requestVideoFrameCallback(next);
  } else {
    const next = () => { if (!video.paused) each(video.currentTime); requestAnimationFrame(next); };
    requestAnimationFrame(next);
  }
}

const KEYS = {
  " ": togglePlay,
  k: togglePlay,
  ArrowLeft: () => seek(video.currentTime - 1),
  ArrowRight: () => seek(video.currentTime + 1),
  ArrowUp: () => setThreshold(filter.threshold + 0.05),
  ArrowDown: () => setThreshold(filter.threshold - 0.05),
  ",": () => step(-1),
  ".": () => step(1),
  "+": () => timeline.zoom(2),
  "=": () => timeline.zoom(2),
  "-": () => timeline.zoom(0.5),
  g: () => part("truth").click(),
  m: () => part("mute").click(),
};

/** Keys that the element in focus needs itself. */
function keeps(element, key) {
  if (element.tagName === "SELECT") return true;
  if (element.type === "range") return key.startsWith("Arrow");
  return key === " " && /INPUT|BUTTON|SUMMARY/.test(element.tagName);
}

document.addEventListener("keydown", (event) => {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || keeps(event.target, event.key)) return;
  event.preventDefault();
  action();
});

part("stage").addEventListener("click", togglePlay);
part("play").addEventListener("click", togglePlay);
part("back").addEventListener("click", () => step(-1));
part("forward").addEventListener("click", () => step(1));
part("in").addEventListener("click", () => timeline.zoom(2));
part("out").addEventListener("click", () => timeline.zoom(0.5));
part("truth").addEventListener("change", drawAll);
part("speed").addEventListener("change", () => { video.playbackRate = Number(part("speed").value); });
thresholdSlider.addEventListener("input", () => setThreshold(Number(thresholdSlider.value)));
part("mute").addEventListener("click", () => {
  video.muted = !video.muted;
  part("mute").setAttribute("aria-pressed", String(video.muted));
});
for (const event of ["play", "pause"]) {
  video.addEventListener(event, () => { part("play").textContent = video.paused ? "\u25B6" : "\u275A\u275A"; });
}
function fail(what) {
  failure = `${what}; tools/cache_videos.py makes copies that every browser plays`;
  say(failure);
}

video.addEventListener("error", () => fail(
  `this browser cannot play ${data.name}, or it does not lie where the page looks for it (${data.src})`));
video.addEventListener("loadedmetadata", () => {
  if (!video.videoWidth) fail(`this browser plays the sound of ${data.name} and not its pictures`);
});

const [width, height] = data.size;
part("stage").style.aspectRatio = `${width} / ${height}`;
part("stage").style.width = `min(100%, calc(52vh * ${width / height}))`;
part("name").textContent = data.name;
part("truth-label").hidden = data.truth === null;
part("filter").open = window.matchMedia("(min-width: 801px)").matches;
new ResizeObserver(drawNow).observe(canvas);
listClasses();
setThreshold(data.threshold);
video.src = data.src;
follow();
