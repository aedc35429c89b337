// Connects the page's elements: video, boxes, timeline, filter, link and corrections.

const element = (id) => document.getElementById(id);
const data = JSON.parse(element("data").textContent);
const video = element("video"), canvas = element("boxes"), scoreSlider = element("min-score");
let playbackError = null; // why the video does not play

function showNote(sentence) {
  element("note").hidden = !sentence;
  element("note").textContent = sentence || "";
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
element("stage").style.setProperty("--aspect", width / height);
element("name").textContent = data.name;
video.src = data.src;

const detections = await readTrackSet(data.detections, false);
const truth = data.groundTruth && await readTrackSet(data.groundTruth, true);
const comparison = truth && new Comparison(detections, truth, data.annotatedTimes);
const allRows = [detections, ...(truth ? [truth] : [])].flatMap((set) => rowsOf(set, data.classes.length));
const filter = new Filter(data.minScore, data.classes.length, detections.tracks.length);
const colourOf = (id) => data.palette[id % data.palette.length];
for (const row of allRows) {
  const prefix = row.set.isTruth ? `truth #${row.track.id}` : `#${row.track.id}`;
  Object.assign(row, {text: `${prefix} ${data.classes[row.index]}`, colour: colourOf(row.track.id), hollow: row.set.isTruth});
}
let time = 0; // of the frame on screen
let editor = null;
let lastEvent = {row: null, time: NaN};
const spectrogram = new Spectrogram(element("spectrogram"), data.spectrogram, data.duration);
const timeline = new Timeline(
  {section: element("timeline"), scroll: element("scroll"), height: element("height"), rows: element("rows"),
    spectrogram: element("spectrogram"), cursor: element("cursor"), tip: element("tip")},
  data, spectrogram, {seek, choose: chooseRow, describe: (row, entry, at) => (
    `${row.text} ${row.hollow ? "" : scoreText(row.set, entry)} at ${clockText(at + data.timestampOffset, 1)}`)});
const actionList = checkList(element("classes"), data.classes.map((name) => ({name})), filter.classes, drawAll);
const personList = checkList(element("persons"),
  detections.tracks.map(({id}) => ({name: `#${id}`, colour: colourOf(id)})), filter.persons, drawAll);

/** "0.87", or "0.87 / 0.41" for two models. */
function scoreText(set, entry) {
  const score = (scores) => (scores[entry] / SCORE_STEPS).toFixed(2);
  if (filter.model === BOTH_MODELS) return `${score(set.scores)} / ${score(set.others)}`;
  return filter.score(set, entry).toFixed(2);
}

function shownPersons() {
  if (editor?.isActive) return editor.drawn();
  const detected = personsAt(detections, time, filter).map(({track, box, entries}) => {
    const texts = entries.slice(0, data.topK).map((entry) => (
      `${data.classes[detections.classes[entry]]} ${scoreText(detections, entry)}`));
    texts[0] = `#${track.id} ${filter.mistakesOnly ? "wrong: " : ""}${texts[0]}`;
    return {box, lines: texts, colour: colourOf(track.id), thin: false};
  });
  if (!truth || !element("truth").checked) return detected;
  const annotated = personsAt(truth, time, filter).map(({box, entries}) => {
    const texts = entries.map((entry) => data.classes[truth.classes[entry]]);
    texts[0] = `${filter.mistakesOnly ? "missed:" : "truth"} ${texts[0]}`;
    return {box, lines: texts, colour: GROUND_TRUTH_COLOUR, thin: true};
  });
  return [...annotated, ...detected];
}

/** Draws what changes with time. */
function drawFrame() {
  const persons = shownPersons(), offset = data.timestampOffset;
  drawPersons(canvas, persons);
  timeline.moveTo(time);
  element("clock").textContent = `${clockText(time + offset, 1)} / ${clockText(data.duration + offset, 1)}`;
  canvas.dataset.persons = JSON.stringify(persons.map(({box, lines}) => ({box, lines})));
}

/** Draws everything, after a change of the filter. */
function drawAll() {
  if (comparison) comparison.mark(filter);
  const classCounts = data.classes.map(() => 0), personCounts = detections.tracks.map(() => 0);
  const rows = allRows.filter((row) => {
    let cells = 0;
    if (row.hollow && !element("truth").checked) return false;
    eachCell(row, filter, -Infinity, Infinity, () => { cells++; });
    if (!row.hollow) classCounts[row.index] += cells;
    if (!row.hollow) personCounts[row.track.number] += cells;
    return cells > 0;
  });
  timeline.show(rows, filter);
  actionList.setCounts(classCounts);
  personList.setCounts(personCounts);
  element("level").textContent = filter.minScore.toFixed(2);
  const count = personCounts.filter(Boolean).length;
  element("state").textContent = `${count} person${count === 1 ? "" : "s"}, ${rows.length} row${rows.length === 1 ? "" : "s"}`;
  showNote(playbackError || data.noDetection || (rows.some((row) => !row.hollow) ? null : reasonForNothing()));
  if (editor) editor.show();
  drawFrame();
}

function reasonForNothing() {
  if (filter.mistakesOnly) return "no mistake with this score at the annotated keyframes";
  if (!filter.isComplete) return "nothing is drawn: no selected action has such a score";
  let highest = 0;
  for (let entry = 0; entry < detections.classes.length; entry++) highest = Math.max(highest, filter.score(detections, entry));
  return `nothing is drawn: no score reaches ${filter.minScore.toFixed(2)}; the highest is ${highest.toFixed(2)}`;
}

function seek(to) {
  time = Math.min(Math.max(to, 0), data.duration);
  video.currentTime = time;
  drawFrame();
}

function setMinScore(value) {
  filter.minScore = Math.min(Math.max(Math.round(value * 100) / 100, data.lowestScore), 1);
  scoreSlider.value = filter.minScore;
  drawAll();
}

/** Goes to an event: {row, time}. */
function goTo(event) {
  if (event === null) return;
  lastEvent = event;
  video.pause();
  seek(event.time);
  timeline.select(event.row);
  saveLink();
}

/** The event whose frame is on screen, or the time itself. */
const here = () => (Math.abs(lastEvent.time - time) < 1.5 / data.fps ? lastEvent : {row: null, time});
function chooseRow(row) { goTo(nextEvent([row], filter, here(), 1)); }
function nextEventOf(direction) { goTo(nextEvent(timeline.passing, filter, here(), direction)); }

function saveLink() {
  const row = timeline.selected;
  writeLink(time + data.timestampOffset, row?.track.id, row ? data.classes[row.index] : undefined);
}

/** Goes to the moment in the page's address and selects its row, with a minimum score that shows it. */
function followLink() {
  const link = readLink();
  if (link.time !== undefined) seek(link.time - data.timestampOffset);
  const isLinked = (row) => (link.person === undefined || row.track.id === link.person)
    && (link.action === undefined || [link.action, withoutExamples(link.action)].includes(data.classes[row.index]));
  if (link.person === undefined && link.action === undefined) return;
  const keyframeScore = (row) => {
    let score = 0;
    eachCell(row, {...filter, passes: () => true}, time, time, (_, __, entry) => { score = filter.score(row.set, entry); });
    return score;
  };
  const rank = (row) => (keyframeScore(row) > 0 ? keyframeScore(row) + (row.hollow ? 1 : 2) : row.hollow ? -1 : 0);
  const row = allRows.filter(isLinked).sort((a, b) => rank(b) - rank(a))[0];
  if (!row) return;
  const score = keyframeScore(row);
  if (score > 0 && score < filter.minScore) setMinScore(Math.floor(score * 100) / 100);
  lastEvent = {row, time};
  timeline.select(row);
}

const {togglePlay, step} = connectControls(video, data.fps, {seek, show: (at) => { time = at; drawFrame(); }});
const keys = {
  " ": togglePlay,
  k: togglePlay,
  ArrowLeft: () => seek(video.currentTime - 1),
  ArrowRight: () => seek(video.currentTime + 1),
  ArrowUp: () => setMinScore(filter.minScore + 0.05),
  ArrowDown: () => setMinScore(filter.minScore - 0.05),
  Home: () => seek(0),
  End: () => seek(data.duration),
  ",": () => step(-1),
  ".": () => step(1),
  n: () => nextEventOf(1),
  b: () => nextEventOf(-1),
  "+": () => timeline.zoom(2),
  "=": () => timeline.zoom(2),
  "-": () => timeline.zoom(0.5),
  g: () => element("truth").click(),
  m: () => element("mute").click(),
  f: () => element("fullscreen").click(),
};
connectKeys(keys, (event) => Boolean(editor?.key(event)));
element("stage").addEventListener("click", () => { if (!editor) togglePlay(); });
element("in").addEventListener("click", () => timeline.zoom(2));
element("out").addEventListener("click", () => timeline.zoom(0.5));
element("next-event").addEventListener("click", () => nextEventOf(1));
element("previous-event").addEventListener("click", () => nextEventOf(-1));
element("truth").addEventListener("change", drawAll);
element("mistakes").addEventListener("change", () => { filter.mistakesOnly = element("mistakes").checked; drawAll(); });
element("model").addEventListener("change", () => { filter.model = element("model").value; drawAll(); });
scoreSlider.addEventListener("input", () => setMinScore(Number(scoreSlider.value)));
video.addEventListener("pause", () => { if (editor) editor.show(); });
video.addEventListener("seeked", () => {
  element("timeline").setAttribute("aria-valuenow", time.toFixed(1));
  element("timeline").setAttribute("aria-valuetext", element("clock").textContent);
  if (video.paused) saveLink();
  if (editor && video.paused) editor.show();
});
window.addEventListener("hashchange", followLink);
darkTheme.addEventListener("change", () => timeline.draw());
for (const box of ["truth", "mistakes"]) element(`${box}-label`).hidden = !truth;
element("model").hidden = data.models.length < 2;
element("model").append(...[FIRST_MODEL, SECOND_MODEL].map((value, k) => new Option(data.models[k], value)),
  new Option("both", BOTH_MODELS));
element("filter").open = window.matchMedia("(min-width: 801px) and (min-height: 501px)").matches;
element("timeline").setAttribute("aria-valuemax", data.duration.toFixed(1));
scoreSlider.min = data.lowestScore;
if (data.edit) {
  const session = new EditSession(detections, filter, data.edit, data.timestampOffset);
  editor = new EditPanel(element("edit"), session, {data, video, canvas, colourOf, seek, time: () => time, redraw: drawFrame});
  document.body.classList.add("editing");
}
new ResizeObserver(drawFrame).observe(canvas);
setMinScore(data.minScore);
followLink();
document.body.dataset.ready = "true";
performance.mark("ready");
