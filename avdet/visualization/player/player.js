// Connects the page's elements: video, boxes, timeline, filter and keys.

const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const video = element("video"), canvas = element("boxes"), scoreSlider = element("min-score");
const filter = {minScore: data.minScore, classes: data.classes.map(() => true)};
const timeline = new Timeline(
  {section: element("timeline"), scroll: element("scroll"), height: element("height"), rows: element("rows"),
    spectrogram: element("spectrogram"), cursor: element("cursor")},
  data, seek);
let time = 0; // of the frame on screen
let playbackError = null; // why the video does not play

const colourOf = (id) => data.palette[id % data.palette.length];
const showsGroundTruth = () => data.groundTruth !== null && element("truth").checked;
const groundTruthFilter = () => ({minScore: 0, classes: filter.classes});

function shownPersons() {
  const detected = personsAt(data.detections, time, filter).map(({id, box, scores}) => {
    const lines = scores.slice(0, data.topK).map(([index, score]) => `${data.classes[index]} ${score.toFixed(2)}`);
    lines[0] = `#${id} ${lines[0]}`;
    return {box, lines, colour: colourOf(id), thin: false};
  });
  if (!showsGroundTruth()) return detected;
  const annotated = personsAt(data.groundTruth, time, groundTruthFilter()).map(({box, scores}) => {
    const lines = scores.map(([index]) => data.classes[index]);
    lines[0] = `truth ${lines[0]}`;
    return {box, lines, colour: GROUND_TRUTH_COLOUR, thin: true};
  });
  return [...annotated, ...detected];
}

/** Draws what changes with time. */
function drawFrame() {
  const persons = shownPersons();
  drawPersons(canvas, persons);
  timeline.moveTo(time);
  const offset = data.timestampOffset;
  element("clock").textContent = `${clockText(time + offset, 1)} / ${clockText(data.duration + offset, 1)}`;
  canvas.dataset.persons = JSON.stringify(persons.map(({box, lines}) => ({box, lines})));
}

/** Draws everything, after a change of the filter. */
function drawAll() {
  const rows = timelineRows(data.detections, filter).map((row) => (
    {...row, text: `#${row.id} ${data.classes[row.index]}`, colour: colourOf(row.id), hollow: false}));
  const annotated = !showsGroundTruth() ? [] : timelineRows(data.groundTruth, groundTruthFilter()).map((row) => (
    {...row, text: `truth ${data.classes[row.index]}`, colour: GROUND_TRUTH_COLOUR, hollow: true}));
  timeline.show([...rows, ...annotated]);
  element("level").textContent = filter.minScore.toFixed(2);
  const count = new Set(rows.map((row) => row.id)).size;
  element("state").textContent = `${count} person${count === 1 ? "" : "s"}`;
  countClasses(rows);
  explainNothingDrawn(rows);
  drawFrame();
}

function explainNothingDrawn(rows) {
  const scores = data.detections.tracks.flatMap((track) => track.scores.map(([[, highest]]) => highest));
  const highest = scores.reduce((a, b) => Math.max(a, b), 0);
  const filtered = filter.classes.every(Boolean)
    ? `nothing is drawn: no score reaches ${filter.minScore.toFixed(2)}; the highest is ${highest.toFixed(2)}`
    : "nothing is drawn: no selected action has such a score";
  showNote(playbackError || data.noDetection || (rows.length ? null : filtered));
}

function showNote(sentence) {
  element("note").hidden = !sentence;
  element("note").textContent = sentence || "";
}

function countClasses(rows) {
  const counts = data.classes.map(() => 0);
  for (const row of rows) counts[row.index] += row.cells.length;
  element("classes").querySelectorAll(".count").forEach((cell, index) => { cell.textContent = counts[index] || ""; });
}

function listClasses() {
  data.classes.forEach((className, index) => {
    const label = document.createElement("label"), box = document.createElement("input");
    const name = document.createElement("span"), count = document.createElement("span");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => { filter.classes[index] = box.checked; drawAll(); });
    [name.className, name.textContent, name.title, count.className] = ["name", className, className, "count"];
    label.append(box, name, count);
    element("classes").append(label);
  });
  for (const [id, selected] of [["all", true], ["none", false]]) {
    element(id).addEventListener("click", () => {
      filter.classes.fill(selected);
      element("classes").querySelectorAll("input").forEach((box) => { box.checked = selected; });
      drawAll();
    });
  }
}

function seek(to) {
  time = Math.min(Math.max(to, 0), data.duration);
  video.currentTime = time;
  drawFrame();
}

/** Seeks `count` frames ahead, to the middle of that frame, so that rounding cannot show a neighbour. */
function step(count) {
  video.pause();
  seek((Math.floor(video.currentTime * data.fps + 1e-3) + count + 0.5) / data.fps);
}

function setMinScore(value) {
  filter.minScore = Math.min(Math.max(Math.round(value * 100) / 100, 0.02), 1);
  scoreSlider.value = filter.minScore;
  drawAll();
}

const togglePlay = () => (video.paused ? video.play().catch(() => {}) : video.pause());

/** Redraws whenever the video shows another frame. */
function followVideo() {
  const show = (at) => { time = at; drawFrame(); };
  video.addEventListener("seeked", () => { // some browsers show a frame without calling back
    if (Math.abs(video.currentTime - time) > 1 / data.fps) show(video.currentTime);
  });
  if (video.requestVideoFrameCallback) {
    const next = (_, frame) => { show(frame.mediaTime); video.requestVideoFrameCallback(next); };
    video.requestVideoFrameCallback(next);
  } else {
    const next = () => { if (!video.paused) show(video.currentTime); requestAnimationFrame(next); };
    requestAnimationFrame(next);
  }
}

const KEYS = {
  " ": togglePlay,
  k: togglePlay,
  ArrowLeft: () => seek(video.currentTime - 1),
  ArrowRight: () => seek(video.currentTime + 1),
  ArrowUp: () => setMinScore(filter.minScore + 0.05),
  ArrowDown: () => setMinScore(filter.minScore - 0.05),
  ",": () => step(-1),
  ".": () => step(1),
  "+": () => timeline.zoom(2),
  "=": () => timeline.zoom(2),
  "-": () => timeline.zoom(0.5),
  g: () => element("truth").click(),
  m: () => element("mute").click(),
};

/** Whether the focused element itself needs the key. */
function usesKey(target, key) {
  if (target.tagName === "SELECT") return true;
  if (target.type === "range") return key.startsWith("Arrow");
  return key === " " && /INPUT|BUTTON|SUMMARY/.test(target.tagName);
}

document.addEventListener("keydown", (event) => {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || usesKey(event.target, event.key)) return;
  event.preventDefault();
  action();
});

element("stage").addEventListener("click", togglePlay);
element("play").addEventListener("click", togglePlay);
element("back").addEventListener("click", () => step(-1));
element("forward").addEventListener("click", () => step(1));
element("in").addEventListener("click", () => timeline.zoom(2));
element("out").addEventListener("click", () => timeline.zoom(0.5));
element("truth").addEventListener("change", drawAll);
element("speed").addEventListener("change", () => { video.playbackRate = Number(element("speed").value); });
scoreSlider.addEventListener("input", () => setMinScore(Number(scoreSlider.value)));
element("mute").addEventListener("click", () => {
  video.muted = !video.muted;
  element("mute").setAttribute("aria-pressed", String(video.muted));
});
for (const event of ["play", "pause"]) {
  video.addEventListener(event, () => { element("play").textContent = video.paused ? "\u25B6" : "\u275A\u275A"; });
}

function showPlaybackError(sentence) {
  playbackError = `${sentence}; tools/cache_videos.py makes copies that every browser plays`;
  showNote(playbackError);
}

video.addEventListener("error", () => showPlaybackError(
  `this browser cannot play ${data.name}, or the file is not where the page expects it (${data.src})`));
video.addEventListener("loadedmetadata", () => {
  if (!video.videoWidth) showPlaybackError(`this browser plays the audio of ${data.name} but not its frames`);
});

const [width, height] = data.size;
element("stage").style.aspectRatio = `${width} / ${height}`;
element("stage").style.width = `min(100%, calc(52vh * ${width / height}))`;
element("name").textContent = data.name;
element("truth-label").hidden = data.groundTruth === null;
element("filter").open = window.matchMedia("(min-width: 801px)").matches;
new ResizeObserver(drawFrame).observe(canvas);
listClasses();
setMinScore(data.minScore);
video.src = data.src;
followVideo();
