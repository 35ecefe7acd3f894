// The exported page: trials stay in this browser until they are saved as a file. Put behind observer_task.js.

const cell = (value) => {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

function asCsv(columns, trials) {
  const rows = trials.map((trial) => columns.map((name) => cell(name === "kind" ? "human" : trial[name])).join(","));
  return [columns.join(","), ...rows].join("\n") + "\n";
}

const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = request.oncomplete = () => resolve(request.result);
  request.onerror = request.onabort = () => reject(request.error);
});

// IndexedDB and not localStorage, which a browser may write to disk seconds later: here a trial is on the disk
// ("strict") before the next one begins.
async function openTrials() {
  const request = indexedDB.open("observer-task", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("trials", { keyPath: ["task", "observer", "stimulus", "repeat"] });
    request.result.createObjectStore("observers", { keyPath: "task" }); // who is at it, to go on after closing
  };
  return settled(request);
}

async function pageStore(task) {
  const database = await openTrials();
  const change = (name, method, value) => {
    const transaction = database.transaction(name, "readwrite", { durability: "strict" });
    transaction.objectStore(name)[method](value);
    return settled(transaction);
  };
  const look = (name, method, value) => settled(database.transaction(name).objectStore(name)[method](value));
  const all = (observer) => IDBKeyRange.bound([task.id, observer], [task.id, observer, []]);
  const read = async (observer) => (await look("trials", "getAll", all(observer))).sort((a, b) => a.trial - b.trial);
  const newCode = () => `P${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
  const download = async (observer) => {
    const url = URL.createObjectURL(new Blob([asCsv(task.columns, await read(observer))], { type: "text/csv" }));
    element("a", { href: url, download: `${task.name}_${observer}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  };
  return {
    suggested: (await look("observers", "get", task.id))?.observer ?? newCode(),
    fixedCode: false,
    async finished(observer) {
      await change("observers", "put", { task: task.id, observer });
      return read(observer);
    },
    save: (trial) => change("trials", "put", { task: task.id, ...trial }),
    async end(root, observer, total) {
      const buttons = [["save", "Save CSV file"], ["next", "Next observer"], ["remove", "Delete my answers"]];
      let saved = false, answer = "";
      while (answer !== "next") {
        const kept = (await read(observer)).length;
        answer = await panel(root, "Thank you", paragraphs(
          `${kept} of ${total} answers are kept in this browser. Save them as a file and hand the file to the lab; ` +
          "nothing was sent anywhere."), buttons);
        if (answer === "save") {
          await download(observer);
          saved = true;
        }
        if (answer === "remove" && (saved || (await sure(root, kept)))) {
          await change("trials", "delete", all(observer));
          answer = await panel(root, "Your answers are deleted", paragraphs("Nothing of them is left in this browser."),
                               [["next", "Begin anew"]]);
        }
      }
      await change("observers", "delete", task.id);
      this.suggested = newCode();
      return true;
    },
  };
}

// Answers that were not saved are deleted only after a second word.
async function sure(root, kept) {
  const told = paragraphs(`${kept} answers were not saved as a file. They cannot be had back.`);
  return (await panel(root, "Delete them?", told, [["no", "Keep them"], ["yes", "Delete them"]])) === "yes";
}

async function runPage(task) {
  const root = document.getElementById("task");
  const store = await pageStore(task).catch((error) => {
    root.textContent = `This browser keeps no data for this page (${error?.name}), so that answers could be lost. ` +
      "Please allow it (no private window), or use another browser.";
  });
  if (store) runTask(root, task, store).catch((error) => failed(root, error));
}
