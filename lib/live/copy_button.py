"""A button that puts words on the clipboard and says so."""

from __future__ import annotations

import anywidget
import traitlets

SCRIPT = """
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("this browser does not allow it");
}

export default {
  render({ model, el }) {
    const button = document.createElement("button");
    const said = document.createElement("span");
    const shown = document.createElement("pre");
    button.textContent = model.get("name");
    button.title = model.get("hint");
    button.className = "jupyter-button jupyter-widgets";
    said.setAttribute("role", "status");
    said.style.marginLeft = "8px";
    button.onclick = () => {
      const text = model.get("text");
      shown.textContent = text;
      copy(text).then(
        () => { said.textContent = "Copied to the clipboard:"; },
        (error) => { said.textContent = `Not copied (${error.message}); mark and copy it here:`; });
    };
    el.append(button, said, shown);
  },
};
"""


class CopyButton(anywidget.AnyWidget):
    """Copies ``text`` as it is when the button is pressed, and shows what was copied."""

    _esm = SCRIPT
    name = traitlets.Unicode("Copy").tag(sync=True)
    hint = traitlets.Unicode("").tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
