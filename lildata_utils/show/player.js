// The spectrogram player: a picture of a sound, with a cursor that follows it.
//
// With a kernel, anywidget calls `render`, and the picture and the sound are traits of the widget. On
// a page without one, a figure holds them, and the page calls `attach`.

const PARTS = `
<style>
  :host { display: block; max-width: 800px; color: var(--jp-content-font-color1, inherit);
          font: 13px/1.4 var(--jp-ui-font-family, system-ui, sans-serif); }
  .title { font-weight: 600; white-space: pre-line; margin: 0 0 6px 52px; }
  .title:empty { display: none; }
  .plot { display: grid; grid-template: 1fr 40px / 52px 1fr 76px; font-size: 11px;
          font-variant-numeric: tabular-nums; }
  .picture { position: relative; grid-area: 1 / 2; aspect-ratio: 2; overflow: hidden;
             cursor: crosshair; touch-action: pan-y; user-select: none; }
  canvas { display: block; width: 100%; height: 100%; }
  .picture:focus-visible, button:focus-visible {
    outline: 3px solid var(--jp-brand-color1, #1976d2); outline-offset: 2px; }
  .cursor { position: absolute; inset: 0 auto 0 0; width: 2px; margin-left: -1px;
            background: #fff; box-shadow: 0 0 2px 1px #0009; pointer-events: none; }
  .ticks { position: relative; }
  .ticks span { position: absolute; white-space: nowrap; }
  .ticks span::before { content: ""; position: absolute; background: currentColor; opacity: 0.6; }
  .rows span { transform: translateY(50%); }
  .rows span::before { width: 4px; height: 1px; top: 50%; }
  .hz span { right: 8px; }
  .hz span::before { right: -8px; }
  .s span { top: 6px; transform: translateX(-50%); }
  .s span::before { width: 1px; height: 4px; left: 50%; top: -6px; }
  .db { margin-left: 10px; }
  .db span { left: 22px; }
  .db span::before { left: -8px; }
  .db .colours { position: absolute; inset: 0 auto 0 0; width: 14px; }
  .name { position: absolute; white-space: nowrap; }
  .hz .name { left: 0; top: 50%; transform: translateY(-50%) rotate(180deg);
              writing-mode: vertical-rl; }
  .s .name { top: 22px; width: 100%; text-align: center; }
  .db .name { right: 0; top: 50%; transform: translateY(-50%) rotate(180deg);
              writing-mode: vertical-rl; }
  .controls { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px;
              margin: 4px 76px 0 52px; font-variant-numeric: tabular-nums; }
  button { font: inherit; color: inherit; background: none; cursor: pointer; min-width: 92px;
           padding: 4px 12px; border: 1px solid currentColor; border-radius: 4px; }
  button:hover { background: #8883; }
  .readout { margin-left: auto; min-height: 1.4em; }
</style>
<div class="title"></div>
<div class="plot">
  <div class="ticks rows hz" aria-hidden="true"><div class="name">frequency (kHz)</div></div>
  <div class="picture" role="slider" tabindex="0"><canvas></canvas><div class="cursor"></div></div>
  <div class="ticks rows db" aria-hidden="true">
    <div class="colours"></div><div class="name">level below the peak (dB)</div>
  </div>
  <div class="ticks s" aria-hidden="true" style="grid-area: 2 / 2">
    <div class="name">time (s)</div>
  </div>
</div>
<div class="controls">
  <button type="button">▶ Play</button><span class="time"></span><span class="readout"></span>
</div>
<audio preload="auto"></audio>`;

const PLAYS = "spectrogram-player-plays";
const HINT = "point at the picture to read it";
const KEYS = {
  ArrowLeft: -0.1, ArrowDown: -0.1, ArrowRight: 0.1, ArrowUp: 0.1,
  PageDown: -1, PageUp: 1, Home: -Infinity, End: Infinity,
};

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const minus = (text) => text.replace("-", "−");

/** Build a player inside `host`; what it returns shows a title, a picture and a sound in it. */
function build(host, { frame_s, top_hz, floor_db, colours }) {
  const root = host.attachShadow({ mode: "open" });
  root.innerHTML = PARTS;
  const find = (selector) => root.querySelector(selector);
  const picture = find(".picture");
  const canvas = find("canvas");
  const audio = find("audio");
  const palette = colours.match(/.{6}/g).map((colour) => parseInt(colour, 16));
  let values = null; // the picture as it was drawn: 0 to 255, the highest frequency first
  let frames = 1;
  let bins = 1;
  let newest = null; // the picture that was asked for last

  find(".colours").style.background =
    `linear-gradient(to top, ${colours.match(/.{6}/g).map((colour) => "#" + colour)})`;
  ruler(find(".db"), "bottom", -floor_db, 20, (level) => 1 + level / floor_db, (level) => -level);

  // A frame and a bin stand for the space around their centre, hence the halves.
  const end_s = () => (frames - 1) * frame_s;
  const across = (time_s) => (time_s / frame_s + 0.5) / frames;
  const time_at = (x) => clamp((x * frames - 0.5) * frame_s, 0, end_s());

  function ruler(element, side, end, step, place, text) {
    element.querySelectorAll("span").forEach((tick) => tick.remove());
    for (let i = 0; i * step <= end * 1.0001; i++) {
      const tick = document.createElement("span");
      tick.style[side] = `${100 * place(i * step)}%`;
      tick.textContent = minus(String(+text(i * step).toFixed(3)));
      element.append(tick);
    }
  }

  async function draw(url) {
    const image = (newest = new Image());
    image.src = url;
    await image.decode();
    if (image !== newest) return;
    [frames, bins] = [image.naturalWidth, image.naturalHeight];
    [canvas.width, canvas.height] = [frames, bins];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, frames, bins);
    values = new Uint8Array(frames * bins);
    for (let i = 0; i < values.length; i++) {
      values[i] = pixels.data[4 * i];
      const colour = palette[values[i]];
      pixels.data.set([colour >> 16, (colour >> 8) & 255, colour & 255], 4 * i);
    }
    context.putImageData(pixels, 0, 0);
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].find((s) => end_s() <= 8 * s) ?? 500;
    ruler(find(".s"), "left", end_s(), step, across, (time_s) => time_s);
    const high = (hz) => ((hz / top_hz) * (bins - 1) + 0.5) / bins;
    ruler(find(".hz"), "bottom", top_hz, 2000, high, (hz) => hz / 1000);
    picture.setAttribute("aria-valuemin", 0);
    picture.setAttribute("aria-valuemax", end_s().toFixed(2));
    follow();
  }

  function follow() {
    const time_s = Math.min(audio.currentTime, end_s());
    const words = `${time_s.toFixed(2)} s of ${end_s().toFixed(2)} s`;
    find(".cursor").style.left = `${100 * across(time_s)}%`;
    find(".time").textContent = words;
    picture.setAttribute("aria-valuenow", time_s.toFixed(2));
    picture.setAttribute("aria-valuetext", words);
    if (!audio.paused) requestAnimationFrame(follow);
  }

  function seek(time_s) {
    audio.currentTime = clamp(time_s, 0, end_s());
    follow();
  }

  // A newer sound may come before this one has begun: that is no error.
  const play = () => audio.play().catch(() => {});
  const toggle = () => (audio.paused ? play() : audio.pause());
  const give_way = (event) => event.detail === audio || audio.pause();

  function read(event) {
    if (!values) return;
    const box = canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    const column = clamp(Math.floor(x * frames), 0, frames - 1);
    const row = clamp(Math.floor(y * bins), 0, bins - 1);
    const hz = ((bins - 1 - row) / Math.max(bins - 1, 1)) * top_hz;
    const value = values[row * frames + column];
    const level = minus((floor_db * (1 - value / 255)).toFixed(1));
    find(".readout").textContent =
      `${(column * frame_s).toFixed(3)} s, ${hz.toFixed(1)} Hz, ${value ? "" : "≤ "}${level} dB`;
    if (event.buttons & 1) seek(time_at(x));
  }

  picture.addEventListener("pointerdown", (event) => {
    picture.setPointerCapture(event.pointerId);
    read(event);
  });
  picture.addEventListener("pointermove", read);
  picture.addEventListener("pointerleave", () => (find(".readout").textContent = HINT));
  picture.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " ") toggle();
    else if (event.key in KEYS) seek(audio.currentTime + KEYS[event.key]);
    else return;
    event.preventDefault(); // no scrolling
    event.stopPropagation(); // no shortcut of the notebook
  });
  find("button").addEventListener("click", toggle);
  for (const kind of ["play", "pause"]) {
    audio.addEventListener(kind, () => {
      find("button").textContent = audio.paused ? "▶ Play" : "❚❚ Pause";
      follow();
    });
  }
  audio.addEventListener("seeked", follow);
  // Sounds are heard one at a time.
  audio.addEventListener("play", () =>
    window.dispatchEvent(new CustomEvent(PLAYS, { detail: audio })),
  );
  window.addEventListener(PLAYS, give_way);
  find(".readout").textContent = HINT;

  return {
    title(text) {
      find(".title").textContent = text;
      picture.setAttribute("aria-label", `Position in ${text || "the sound"}`);
    },
    picture: draw,
    // A new version of a sound goes on where the old one was.
    sound(url) {
      const [time_s, playing] = [audio.currentTime, !audio.paused];
      audio.src = url;
      audio.currentTime = time_s;
      if (playing) play();
    },
    close() {
      audio.pause();
      window.removeEventListener(PLAYS, give_way);
    },
  };
}

function render({ model, el }) {
  const host = document.createElement("div");
  el.append(host);
  const view = build(host, model.get("scales"));
  const urls = {};
  const bind = (name, show) => {
    model.on(`change:${name}`, show);
    show();
    return () => model.off(`change:${name}`, show);
  };
  const data = (name, type) => () => {
    URL.revokeObjectURL(urls[name]);
    urls[name] = URL.createObjectURL(new Blob([model.get(name)], { type }));
    view[name](urls[name]);
  };
  const unbind = [
    bind("title", () => view.title(model.get("title"))),
    bind("picture", data("picture", "image/png")),
    bind("sound", data("sound", "audio/mpeg")),
  ];
  return () => {
    unbind.forEach((off) => off());
    view.close();
    Object.values(urls).forEach((url) => URL.revokeObjectURL(url));
  };
}

/** Turn the figures on this page that still wait for it into players. */
export function attach() {
  for (const figure of document.querySelectorAll("figure[data-scales]")) {
    const host = document.createElement("div");
    const view = build(host, JSON.parse(figure.dataset.scales));
    view.title(figure.querySelector("figcaption").textContent);
    view.picture(figure.querySelector("img").src);
    view.sound(figure.querySelector("audio").src);
    figure.replaceWith(host);
  }
}

export default { render };
