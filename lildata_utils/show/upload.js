// A button that sends a file to the kernel: chosen, or dropped on it. It refuses what is too large before anything is sent,
// and sends the rest in pieces: a server drops the connection of a message that is too long.

const PIECE = 1 << 20; // bytes

function render({ model, el }) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  label.className = "jupyter-button widget-button upload-button";
  label.style.cssText = "display: block; width: auto; margin: 2px; cursor: pointer";
  if (model.get("roomy"))
    label.style.cssText += "; height: auto; padding: 1.6rem 1rem; border: 2px dashed; font-size: 115%";
  input.type = "file";
  input.accept = "audio/*,video/*";
  input.style.cssText = "position: absolute; opacity: 0; width: 1px; height: 1px";
  label.append(model.get("label"), input);
  el.append(label);

  const enable = () => {
    input.disabled = model.get("disabled");
    label.style.opacity = input.disabled ? 0.5 : 1;
  };
  model.on("change:disabled", enable);
  enable();

  input.addEventListener("focus", () => (label.style.outline = "2px solid currentColor"));
  input.addEventListener("blur", () => (label.style.outline = ""));
  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = ""; // or choosing the same file again would be no change
    send(file);
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    label.addEventListener(kind, (event) => {
      event.preventDefault();
      label.style.outline = kind === "dragover" ? "2px solid currentColor" : "";
      if (kind === "drop" && !input.disabled) send(event.dataTransfer.files[0]);
    });
  }

  async function send(file) {
    if (!file) return;
    const { name, size } = file;
    if (size > model.get("limit_bytes")) {
      model.send({ name, size, at: 0 });
      return;
    }
    const address = URL.createObjectURL(file); // from now on this page can play it
    for (let at = 0; at < Math.max(size, 1); at += PIECE) {
      const piece = await file.slice(at, at + PIECE).arrayBuffer();
      model.send({ name, size, at, address }, undefined, [piece]);
    }
  }

  // In a tab that nobody has opened the button has no size.
  const seen = new ResizeObserver(() => {
    if (!label.offsetWidth) return;
    seen.disconnect();
    model.send("shown");
  });
  seen.observe(label);
  return () => {
    seen.disconnect();
    model.off("change:disabled", enable);
  };
}

export default { render };
