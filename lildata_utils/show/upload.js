// A button that sends a file to the kernel. It refuses what is too large before anything is sent,
// and sends the rest in pieces: a server drops the connection of a message that is too long.

const PIECE = 1 << 20; // bytes

function render({ model, el }) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  label.className = "jupyter-button widget-button upload-button";
  label.style.cssText = "display: block; width: auto; margin: 2px; cursor: pointer";
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
  input.addEventListener("change", async () => {
    const [file] = input.files;
    input.value = ""; // or choosing the same file again would be no change
    if (!file) return;
    const { name, size } = file;
    if (size > model.get("limit_bytes")) {
      model.send({ name, size, at: 0 });
      return;
    }
    for (let at = 0; at < Math.max(size, 1); at += PIECE) {
      const piece = await file.slice(at, at + PIECE).arrayBuffer();
      model.send({ name, size, at }, undefined, [piece]);
    }
  });
  model.send("shown");
  return () => model.off("change:disabled", enable);
}

export default { render };
