// The video's controls: play, frames, speed, volume, fullscreen, and the keys.

/** actions: {seek(time), show(time) for a new frame on screen}. Returns {togglePlay, step(frames)}. */
function connectControls(video, fps, actions) {
  const togglePlay = () => (video.paused ? video.play().catch(() => {}) : video.pause());
  /** Seeks `count` frames ahead, to the middle of that frame, so that rounding cannot show a neighbour. */
  const step = (count) => {
    video.pause();
    actions.seek((Math.floor(video.currentTime * fps + 1e-3) + count + 0.5) / fps);
  };
  element("play").addEventListener("click", togglePlay);
  element("back").addEventListener("click", () => step(-1));
  element("forward").addEventListener("click", () => step(1));
  element("speed").addEventListener("change", () => { video.playbackRate = Number(element("speed").value); });
  element("mute").addEventListener("click", () => { video.muted = !video.muted; });
  element("volume").addEventListener("input", () => {
    video.volume = Number(element("volume").value);
    video.muted = video.volume === 0;
  });
  video.addEventListener("volumechange", () => element("mute").setAttribute("aria-pressed", String(video.muted)));
  for (const event of ["play", "pause"]) {
    video.addEventListener(event, () => { element("play").textContent = video.paused ? "\u25B6" : "\u275A\u275A"; });
  }
  element("fullscreen").hidden = !document.fullscreenEnabled;
  element("fullscreen").addEventListener("click", () => (
    document.fullscreenElement ? document.exitFullscreen() : element("watch").requestFullscreen().catch(() => {})));
  followVideo(video, fps, actions.show);
  return {togglePlay, step};
}

/** Calls show(time) whenever the video shows another frame. */
function followVideo(video, fps, show) {
  let shown = 0;
  const showOnce = (time) => { shown = time; show(time); };
  video.addEventListener("seeked", () => { // some browsers show a frame without calling back
    if (Math.abs(video.currentTime - shown) > 1 / fps) showOnce(video.currentTime);
  });
  if (video.requestVideoFrameCallback) {
    const next = (_, frame) => {
      if (!video.seeking) showOnce(frame.mediaTime); // else it is the frame before the seek
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  } else {
    const next = () => { if (!video.paused) showOnce(video.currentTime); requestAnimationFrame(next); };
    requestAnimationFrame(next);
  }
}

/** Whether the focused element itself needs the key. */
function usesKey(target, key) {
  if (target.tagName === "SELECT" || /^(text|search)$/.test(target.type)) return true;
  if (target.type === "range") return key.startsWith("Arrow");
  return (key === " " || key === "Enter") && /INPUT|BUTTON|SUMMARY/.test(target.tagName);
}

/** Calls the action of a pressed key; handlesFirst(event) may take keys before. */
function connectKeys(keys, handlesFirst) {
  document.addEventListener("keydown", (event) => {
    if (usesKey(event.target, event.key)) return;
    if (handlesFirst(event)) return event.preventDefault();
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return undefined;
    event.preventDefault();
    action();
    return undefined;
  });
}
