// A figure over time that is heard: a cursor follows the sound, a click goes there, and words say
// what stands at the cursor or under the mouse.

const PARTS = `
<style>
  .timeline { max-width: 800px; font: 13px/1.4 var(--jp-ui-font-family, system-ui, sans-serif);
              color: var(--jp-content-font-color1, inherit); }
  .timeline .title { font-weight: 600; overflow-wrap: anywhere; }
  .timeline .figure { position: relative; cursor: crosshair; touch-action: pan-y; }
  .timeline img { display: block; width: 100%; user-select: none; }
  .timeline .now { position: absolute; inset: 0 auto 0 0; width: 2px; margin-left: -1px;
                   background: #fff; box-shadow: 0 0 0 1px #000; pointer-events: none; }
  .timeline audio { display: block; width: 100%; height: 40px; }
  .timeline .words { min-height: 1.4em; margin: 4px 0; font-variant-numeric: tabular-nums; }
</style>
<div class="title"></div>
<div class="figure"><img draggable="false"><div class="now"></div></div>
<div class="words"></div>
<audio controls preload="auto"></audio>`;

// Sounds are heard one at a time: players of spectrograms know this event, too.
const PLAYS = "spectrogram-player-plays";

function render({ model, el }) {
  const host = document.createElement("div");
  host.className = "timeline";
  host.innerHTML = PARTS;
  el.append(host);
  const [title, figure, image, cursor, words, audio] = [
    ".title", ".figure", "img", ".now", ".words", "audio",
  ].map((part) => host.querySelector(part));
  const urls = {};
  let pointed_s = null; // where the mouse is

  function follow() {
    const { left, right, end_s, words: said } = model.get("axis");
    const now_s = Math.min(audio.currentTime, end_s);
    cursor.style.left = `${100 * (left + ((right - left) * now_s) / end_s)}%`;
    const part = Math.floor(((pointed_s ?? now_s) / end_s) * said.length);
    words.textContent = said[Math.min(part, said.length - 1)];
    if (!audio.paused) requestAnimationFrame(follow);
  }

  function point(event) {
    const { left, right, end_s } = model.get("axis");
    const box = figure.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width - left) / (right - left);
    pointed_s = Math.min(Math.max(share, 0), 1) * end_s;
    if (event.buttons & 1) audio.currentTime = pointed_s;
    follow();
  }

  function show() {
    host.hidden = !model.get("shown");
    if (host.hidden) return;
    for (const [name, type] of [["picture", "image/png"], ["sound", "audio/mpeg"]]) {
      URL.revokeObjectURL(urls[name]);
      urls[name] = URL.createObjectURL(new Blob([model.get(name)], { type }));
    }
    image.src = urls.picture;
    // What this browser has uploaded need not be sent back.
    audio.src = model.get("address") || urls.sound;
    title.textContent = model.get("title");
    image.alt = "the genres over time, as the words below say them";
    follow();
  }

  figure.addEventListener("pointerdown", point);
  figure.addEventListener("pointermove", point);
  figure.addEventListener("pointerleave", () => {
    pointed_s = null;
    follow();
  });
  for (const kind of ["play", "seeked", "timeupdate"]) audio.addEventListener(kind, follow);
  audio.addEventListener("play", () =>
    window.dispatchEvent(new CustomEvent(PLAYS, { detail: audio })),
  );
  audio.addEventListener("error", () => {
    words.textContent = "This browser can't play that file; what the network heard stays true.";
  });
  const give_way = (event) => event.detail === audio || audio.pause();
  window.addEventListener(PLAYS, give_way);
  // What belongs together comes together: the last of it is told.
  model.on("change:shown", show);
  show();
  return () => {
    model.off("change:shown", show);
    audio.pause();
    window.removeEventListener(PLAYS, give_way);
    Object.values(urls).forEach((url) => URL.revokeObjectURL(url));
  };
}

export default { render };
