// Be an observer: the method of constant stimuli with two answers, the poles' words (negative first).
//
// The core, `runTask`, which the notebook (observer_notebook.js) and the exported page (observer_page.js) share; each
// is put behind this file as text, so that there are no imports.
// Times come from the browser: a face is shown and taken away in animation frames, and the answer's time is that of
// the key event, both on the clock of performance.now(). `store` keeps each trial as soon as it is answered.

// ---- chance, the same for the same words ---------------------------------------------------------------------------

// A generator of numbers in [0, 1) seeded by text (FNV-1a hash, then mulberry32).
function generator(text) {
  let state = 2166136261;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled(items, random) {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

// Every stimulus once in each repeat. A repeat is made of rounds in which each level comes once (balanced over time),
// each round with a random stimulus of its level, so that identities are mixed too.
function trialOrder(stimuli, repeats, seed, observer) {
  const random = generator(`${seed}/${observer}`);
  const byLevel = new Map();
  for (const s of stimuli) byLevel.set(s.level, [...(byLevel.get(s.level) ?? []), s]);
  const trials = [];
  for (let repeat = 1; repeat <= repeats; repeat++) {
    const columns = [...byLevel.values()].map((column) => shuffled(column, random));
    const rounds = Math.max(...columns.map((column) => column.length));
    for (let i = 0; i < rounds; i++) {
      const round = columns.filter((column) => i < column.length).map((column) => column[i]);
      for (const stimulus of shuffled(round, random)) trials.push({ ...stimulus, repeat });
    }
  }
  return trials.map((trial, index) => ({ ...trial, trial: index + 1 }));
}

const key = (trial) => `${trial.stimulus}\n${trial.repeat}`;

// ---- frames --------------------------------------------------------------------------------------------------------

const nextFrame = () => new Promise(requestAnimationFrame);

// Resolves in the frame that comes `seconds` after the frame at `start`, to the nearest frame.
async function frameAfter(start, seconds, frameMs) {
  let now = start;
  while (now - start < seconds * 1000 - frameMs / 2) now = await nextFrame();
  return now;
}

// The screen's frame duration in ms: the median of 30 frames.
async function measureFrame() {
  const times = [];
  for (let i = 0; i < 31; i++) times.push(await nextFrame());
  const steps = times.slice(1).map((t, i) => t - times[i]).sort((a, b) => a - b);
  return steps[15];
}

// ---- the screen ----------------------------------------------------------------------------------------------------

function element(tag, properties = {}, children = []) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// Shows a panel of text and resolves with the name of the button pressed.
function panel(root, title, nodes, buttons) {
  // never take the focus from someone at work elsewhere in the notebook
  const ours = root.contains(document.activeElement) || document.activeElement === document.body;
  return new Promise((resolve) => {
    const made = buttons.map(([name, text], i) =>
      element("button", { type: "button", textContent: text, className: i ? "" : "main", name,
                          onclick: () => resolve(name) }));
    const heading = element("h2", { textContent: title, tabIndex: -1 });
    root.replaceChildren(element("div", { className: "panel" }, [heading, ...nodes, element("div", {}, made)]));
    if (ours) (root.querySelector("input:enabled") ?? made[0] ?? heading).focus({ preventScroll: true });
  });
}

const paragraphs = (text) => text.split("\n").filter(Boolean).map((line) => element("p", { textContent: line }));

function noise(size, random) {
  const small = new ImageData(28, 28);
  for (let i = 0; i < small.data.length; i += 4) {
    small.data.fill(64 + Math.floor(random() * 128), i, i + 3);
    small.data[i + 3] = 255;
  }
  const canvas = element("canvas", { width: 28, height: 28 });
  canvas.getContext("2d").putImageData(small, 0, 0);
  return canvas;
}

// The stage: a grey square that faces are drawn on, and the two answer buttons.
function makeStage(root, task) {
  const size = task.size;
  const canvas = element("canvas", { width: size, height: size });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "the face to judge");
  const draw = canvas.getContext("2d");
  draw.imageSmoothingEnabled = false;
  const sides = task.happy_side === "left" ? [1, 0] : [0, 1];
  const words = task.poles.map((word) => word[0].toUpperCase() + word.slice(1)), hints = ["F or ←", "J or →"];
  const buttons = sides.map((response, side) =>
    element("button", { type: "button", textContent: `${words[response]} (${hints[side]})`, name: words[response] }));
  const status = element("p", { className: "status" });
  status.setAttribute("role", "status");
  const stage = element("div", { className: "stage", tabIndex: 0 },
                        [canvas, element("div", { className: "answers" }, buttons), status]);
  const told = words.map((word, response) => `${word}: ${hints[sides.indexOf(response)]}.`).join(" ");
  stage.setAttribute("aria-label", `${told} Escape: pause.`);
  const clear = () => { draw.fillStyle = "#808080"; draw.fillRect(0, 0, size, size); };
  return {
    stage, buttons, sides, status,
    open() { root.replaceChildren(stage); clear(); stage.focus({ preventScroll: true }); },
    clear,
    fixation() {
      clear();
      draw.fillStyle = "#000";
      draw.fillRect(size / 2 - 12, size / 2 - 1.5, 24, 3);
      draw.fillRect(size / 2 - 1.5, size / 2 - 12, 3, 24);
    },
    image(picture) { draw.drawImage(picture, 0, 0, size, size); },
  };
}

// Collects the first answer after the onset; `interrupted` when the reader pauses or looks away.
function listen(view, root) {
  const state = { onset: Infinity, answer: null, interrupted: false };
  const answer = (response, event) => {
    if (!state.answer && event.timeStamp > state.onset) state.answer = { response, time: event.timeStamp };
  };
  const sideOf = { f: 0, arrowleft: 0, j: 1, arrowright: 1 };
  const onKey = (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") state.interrupted = true;
    const side = sideOf[event.key.toLowerCase()];
    if (side === undefined) return;
    event.preventDefault();
    answer(view.sides[side], event);
  };
  const onHidden = () => { if (document.hidden) state.interrupted = true; };
  const onFocusOut = (event) => { if (!root.contains(event.relatedTarget)) state.interrupted = true; };
  const keepFocus = (event) => event.preventDefault(); // a click must not take the focus, and the keys, away
  view.stage.addEventListener("keydown", onKey);
  view.stage.addEventListener("focusout", onFocusOut);
  document.addEventListener("visibilitychange", onHidden);
  view.buttons.forEach((button, side) => {
    button.onpointerdown = keepFocus;
    button.onclick = (event) => answer(view.sides[side], event);
  });
  state.stop = () => {
    view.stage.removeEventListener("keydown", onKey);
    view.stage.removeEventListener("focusout", onFocusOut);
    document.removeEventListener("visibilitychange", onHidden);
  };
  return state;
}

// ---- one trial -----------------------------------------------------------------------------------------------------

// Fixation, face, mask or blank, answer. Null when it was interrupted: such a trial is shown again, not recorded.
async function present(trial, task, view, heard, frameMs) {
  const timing = task.timing;
  Object.assign(heard, { onset: Infinity, answer: null });
  let now = await nextFrame();
  view.fixation();
  const onset = heard.onset = await frameAfter(now, timing.fixation_s, frameMs);
  if (heard.interrupted) return null;
  view.image(trial.picture); // drawn in the very frame whose time is `onset`
  view.stage.dataset.trial = trial.trial;
  view.stage.dataset.stimulus = trial.stimulus;
  now = await frameAfter(onset, Math.max(1, Math.round(timing.present_s * 1000 / frameMs)) * frameMs / 1000, frameMs);
  const shown = now - onset;
  if (timing.mask_s > 0) {
    view.image(task.mask);
    now = await frameAfter(now, timing.mask_s, frameMs);
  }
  view.clear();
  const limit = timing.timeout_s === null ? Infinity : timing.timeout_s * 1000;
  while (!heard.answer && !heard.interrupted && now - onset < limit) now = await nextFrame();
  delete view.stage.dataset.trial;
  if (heard.interrupted) return null;
  await frameAfter(now, timing.pause_s, frameMs);
  return { response: heard.answer?.response ?? null, shown,
           rt: heard.answer ? heard.answer.time - onset : null };
}

const seconds = (ms) => (ms === null ? null : Math.round(ms * 10) / 10000);

async function runTrials(trials, task, root, progress, keep) {
  const view = makeStage(root, task);
  const frameMs = await measureFrame();
  let heard = null;
  const begin = () => { view.open(); heard?.stop(); heard = listen(view, root); };
  begin();
  for (let i = 0; i < trials.length; i++) {
    view.status.textContent = progress(i);
    const result = await present(trials[i], task, view, heard, frameMs);
    if (result === null) {
      heard.stop();
      await panel(root, "Paused", paragraphs("The face that was on is shown again later on."), [["on", "Go on"]]);
      begin();
      i--;
      continue;
    }
    await keep(trials[i], result, frameMs);
    if (task.break_every && (i + 1) % task.break_every === 0 && i + 1 < trials.length) {
      heard.stop();
      await panel(root, "A break", paragraphs(`${progress(i + 1)}. Rest your eyes as long as you like.`),
                  [["on", "Go on"]]);
      begin();
    }
  }
  heard.stop();
}

// ---- the whole task ------------------------------------------------------------------------------------------------

async function loadPictures(stimuli) {
  return Promise.all(stimuli.map(async (stimulus) => {
    const picture = new Image();
    picture.src = stimulus.image;
    await picture.decode();
    return { ...stimulus, image: undefined, picture: await createImageBitmap(picture) };
  }));
}

// Asks for consent and the observer's code; resolves with the code.
async function welcome(root, task, store) {
  const code = element("input", { type: "text", value: store.suggested, maxLength: 40, required: true, name: "code",
                                  autocomplete: "off", disabled: store.fixedCode });
  const agree = element("input", { type: "checkbox", name: "consent" });
  const note = element("p", { className: "warning" });
  note.setAttribute("role", "alert");
  for (;;) {
    const fields = [
      element("label", {}, ["Your observer code (a code, not your name): ", code]),
      element("label", {}, [agree, " ", task.consent]), note];
    const told = paragraphs(`${task.instructions}\n${task.length}.`);
    await panel(root, task.title, [...told, ...fields], [["start", "Start"]]);
    if (!/^[\w.-]{1,40}$/.test(code.value)) note.textContent = "Please give a code of letters, digits, - and _.";
    else if (!agree.checked) note.textContent = "Please tick the box if you agree; otherwise simply close the page.";
    else return code.value;
  }
}

async function runTask(root, task, store) {
  root.classList.add("observer-task");
  root.lang = "en";
  root.setAttribute("data-lm-suppress-shortcuts", "true"); // or JupyterLab would take J for "next cell"
  for (const kind of ["keydown", "keyup", "keypress"]) root.addEventListener(kind, (event) => event.stopPropagation());
  const pictures = await loadPictures(task.stimuli);
  task = { ...task, mask: noise(task.size, generator(`mask/${task.seed}`)) };
  for (;;) {
    const observer = await welcome(root, task, store);
    const before = new Set((await store.finished(observer)).map(key));
    const order = trialOrder(pictures, task.repeats, task.seed, observer);
    const left = order.filter((trial) => !before.has(key(trial)));
    if (left.length === order.length && task.practice > 0) await practise(root, task, pictures, observer);
    const done = order.length - left.length;
    await runTrials(left, task, root, (i) => `${done + i} of ${order.length} faces done`,
      (trial, result, frameMs) => store.save({
        observer, stimulus: trial.stimulus, identity: trial.identity, level: trial.level, condition: trial.condition,
        repeat: trial.repeat, response: result.response, rt_s: seconds(result.rt), trial: trial.trial,
        shown_s: seconds(result.shown), frame_s: seconds(frameMs) }));
    if (!(await store.end(root, observer, order.length))) return;
  }
}

function failed(root, error) {
  root.replaceChildren(element("p", { className: "warning", textContent:
    `The task stopped: ${error.message ?? error}. What was answered before is kept; open it again to go on.` }));
  throw error;
}

// A few clear faces, from the two ends, that are not recorded.
async function practise(root, task, pictures, observer) {
  const levels = pictures.map((p) => p.level), ends = [Math.min(...levels), Math.max(...levels)];
  const clear = shuffled(pictures.filter((p) => ends.includes(p.level)), generator(`practice/${observer}`));
  const trials = Array.from({ length: task.practice }, (_, i) => ({ ...clear[i % clear.length], trial: `practice ${i}` }));
  await runTrials(trials, { ...task, break_every: 0 }, root, () => "Practice", async () => {});
  await panel(root, "Now in earnest", paragraphs("From here on your answers are kept."), [["on", "Go on"]]);
}
