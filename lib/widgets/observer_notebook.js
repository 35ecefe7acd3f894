// The notebook: each trial goes to Python at once, which writes it to disk and answers. Put behind observer_task.js.

// Sends `question` and resolves with the first message of type `answer`.
function ask(model, question, answer) {
  return new Promise((resolve) => {
    const hear = (message) => {
      if (message.type !== answer) return;
      model.off("msg:custom", hear);
      resolve(message);
    };
    model.on("msg:custom", hear);
    model.send({ type: question });
  });
}

function modelStore(model, warning) {
  let sent = 0, saved = 0, refused = "";
  model.on("msg:custom", (message) => {
    if (message.type === "saved") saved += 1;
    if (message.type === "refused") refused = message.reason;
    warn();
  });
  const warn = () => {
    const waiting = sent - saved > 3 ? "Python has not yet confirmed the last answers: is a cell running?" : "";
    warning.textContent = refused || waiting;
  };
  return {
    suggested: model.get("observer"),
    fixedCode: true,
    finished: async () => (await ask(model, "finished?", "finished")).trials,
    async save(trial) {
      sent += 1;
      model.send({ type: "trial", trial });
      warn();
    },
    // Shows what is kept; true when the task begins anew.
    async end(root, observer, total) {
      const { kept } = await ask(model, "end", "ended");
      const told = paragraphs(`${kept} of ${total} answers are on this machine's disk; your curve is below.`);
      const answer = await panel(root, "Thank you", told,
        [["again", "Do it again (replaces these answers)"], ["delete", "Delete my answers"]]);
      await ask(model, "delete", "deleted");
      sent = saved = 0;
      if (answer === "again") return true;
      const gone = paragraphs("Nothing of what you answered is left on the disk.");
      await panel(root, "Your answers are deleted", gone, [["again", "Do it again"]]);
      return true;
    },
  };
}

export default {
  async render({ model, el }) {
    const root = element("div", { textContent: "Waiting for Python: the faces come once the cells above are done." });
    const warning = element("p", { className: "warning" });
    warning.setAttribute("role", "alert");
    el.append(root, warning);
    const { task } = await ask(model, "task?", "task");
    runTask(root, task, modelStore(model, warning)).catch((error) => failed(root, error));
  },
};
