// The page: pick a picture, edit it by prompt, move the sliders of the plan. Talks only the public API.

const SAMPLES = 24;
const MOST = 3; // the sliders' end, in units of a feature's usual strength
const byId = (id) => document.getElementById(id);

/** What is on the page: the picture's session, the plan as made and as moved. */
const state = { session: null, image: null, planned: [], operations: [], labels: {} };

function say(text, isError = false) {
  byId("message").textContent = text;
  byId("message").classList.toggle("error", isError);
}

async function call(path, body, accept = "application/json") {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: accept },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (response.ok) return accept === "image/png" ? response.blob() : response.json();
  const { error } = await response.json();
  throw Object.assign(new Error(error.message), { code: error.code });
}

/** A call about the current picture; a session that the server dropped is opened again. */
async function callWithPicture(path, body, accept) {
  try {
    return await call(path, { ...body, session: state.session }, accept);
  } catch (error) {
    if (error.code !== "session_expired") throw error;
    state.session = (await call("/v1/encode", { image: state.image, limit: 1 })).session;
    return call(path, { ...body, session: state.session }, accept);
  }
}

function show(id, blob) {
  const image = byId(id);
  if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
}

const toDataUrl = (blob) => new Promise((resolve) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result);
  reader.readAsDataURL(blob);
});

async function start(blob) {
  try {
    state.image = await toDataUrl(blob);
    state.session = (await call("/v1/encode", { image: state.image, limit: 1 })).session;
    show("original", blob);
    const before = await callWithPicture("/v1/steer", { plan: { operations: [] } }, "image/png");
    show("before", before);
    show("after", before);
    setPlan([]);
    say("");
  } catch (error) {
    say(error.message, true);
  }
}

async function ask(prompt) {
  say("Editing …");
  try {
    const answer = await callWithPicture("/v1/edits", { prompt });
    state.session = answer.session;
    state.labels = answer.labels;
    byId("after").src = `data:image/png;base64,${answer.image}`;
    setPlan(answer.plan.operations);
    say(explain(answer.reasons));
  } catch (error) {
    say(error.message, true);
  }
}

function explain(reasons) {
  if (!reasons.length) return "That asks for nothing I can find. Try “make it a shark”.";
  return reasons.map((reason) => {
    if (reason.matched.length) return `“${reason.text}”: ${reason.action}, by ${reason.features.length} features around “${reason.matched[0].label}”.`;
    const nearest = reason.nearest.length ? ` Closest labels: ${reason.nearest.join(", ")}.` : "";
    return reason.features.length ? `“${reason.text}”: ${reason.action}, ${reason.features.length} features.` : `“${reason.text}”: no feature has such a label, so nothing changed.${nearest}`;
  }).join(" ");
}

const strengthOf = (operation) => (operation.op === "ablate" ? 0 : operation.strength);

function setPlan(operations) {
  state.planned = structuredClone(operations);
  state.operations = structuredClone(operations);
  byId("no-plan").hidden = byId("reset").hidden = false;
  byId(operations.length ? "no-plan" : "reset").hidden = true;
  byId("sliders").replaceChildren(...state.operations.map(slider));
}

function slider(operation) {
  const id = `feature-${operation.feature}`;
  const row = document.createElement("div");
  row.className = "slider";
  const image = Object.assign(document.createElement("img"), {
    src: `/v1/features/${operation.feature}/preview.png`, alt: "", width: 48, height: 48, loading: "lazy",
  });
  const label = Object.assign(document.createElement("label"), { htmlFor: id });
  label.textContent = `${state.labels[operation.feature] ?? "feature"} · ${operation.feature}`;
  const value = document.createElement("span");
  const input = Object.assign(document.createElement("input"), { id, type: "range", min: 0, max: MOST, step: 0.05 });
  input.value = strengthOf(operation);
  value.textContent = strengthOf(operation).toFixed(2);
  input.addEventListener("input", () => {
    // A feature that the plan takes out is set to a strength as soon as its slider moves.
    if (operation.op === "ablate") operation.op = "set";
    operation.strength = Number(input.value);
    value.textContent = operation.strength.toFixed(2);
    steer();
  });
  row.append(image, label, value, input);
  return row;
}

let running = false;
let waiting = false;

/** Ask for the picture of the current plan; while one is under way, only the newest wish is kept. */
async function steer() {
  if (running) { waiting = true; return; }
  running = true;
  do {
    waiting = false;
    try {
      show("after", await callWithPicture("/v1/steer", { plan: { version: 1, operations: state.operations } }, "image/png"));
    } catch (error) {
      say(error.message, true);
    }
  } while (waiting);
  running = false;
}

async function loadSamples() {
  const strip = byId("samples");
  const model = await (await fetch("/v1/model")).json();
  for (let index = 0; index < Math.min(SAMPLES, model.samples); index += 1) {
    const blob = await (await fetch(`/v1/samples/${index}.png`)).blob();
    const button = Object.assign(document.createElement("button"), { type: "button", ariaPressed: "false" });
    const image = Object.assign(document.createElement("img"), { src: URL.createObjectURL(blob), alt: `Sample ${index + 1}`, width: 64, height: 64 });
    button.append(image);
    button.addEventListener("click", () => {
      for (const other of strip.children) other.ariaPressed = "false";
      button.ariaPressed = "true";
      start(blob);
    });
    strip.append(button);
    if (index === 0) button.click();
  }
}

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const prompt = byId("prompt").value.trim();
  if (!prompt) say("Say what should change, for example “make it a shark”.");
  else if (!state.session) say("Pick a picture first.");
  else ask(prompt);
});
byId("upload").addEventListener("change", (event) => {
  for (const button of byId("samples").children) button.ariaPressed = "false";
  if (event.target.files[0]) start(event.target.files[0]);
});
byId("reset").addEventListener("click", () => {
  setPlan(state.planned);
  steer();
});
loadSamples().catch(() => say("The server cannot be reached.", true));
