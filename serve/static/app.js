// The page: what it is made of, and what happens between the parts.

import { createApi } from "./api/api.js";
import { AtlasView } from "./map/atlas-view.js";
import { Brush } from "./editor/brush.js";
import { Catalogue } from "./features/catalogue.js";
import { byId, download, targetOf, typing } from "./shared/dom.js";
import { FeaturePanel } from "./features/feature.js";
import { History } from "./editor/history.js";
import { Labelling } from "./labelling/labelling.js";
import { emptyPlan } from "./editor/plan.js";
import { Project } from "./editor/project.js";
import { Prompt } from "./editor/prompt.js";
import { fromFragment, toFragment } from "./editor/share.js";
import { Sliders } from "./editor/sliders.js";
import { Stage } from "./editor/stage.js";
import { Start } from "./editor/start.js";
import { forgive, say, watchServer } from "./shared/status.js";

/** @import { Asked, Mask, PageError, Plan, Source } from "./shared/types.js" */

const api = await createApi();
const project = new Project();
const catalogue = new Catalogue();
/** @param {PageError} error */
const complain = (error) => {
  if (error.code !== "lost") say(error.message, true);
};

const stage = new Stage();
const history = new History(api, project);
new Brush(project, (text) => {
  byId("stage").ariaDescription = text;
  say(text);
});
const frames = api.live({
  onFrame: (frame, newest) => {
    stage.after(frame);
    if (newest && settled) history.keep(stage.picture);
  },
  onError: complain,
});
const sliders = new Sliders(project, catalogue, { onOpen: (id) => openFeature(id), onWhere: showWhere });
const prompt = new Prompt(api, project, catalogue);
const panel = new FeaturePanel(api, project, catalogue, {
  onUse: (id) => {
    if (narrow()) panel.close();
    sliders.add(id);
  },
  onAsk: (label) => {
    if (narrow()) panel.close();
    prompt.ask(`give it ${label}`);
  },
  onSet: (id, strength) => sliders.set(id, strength),
  onClose: () => atlas.map.choose(-1),
  onError: complain,
  onSaved: (card) =>
    say(
      card.source === "hand"
        ? api.can.publish
          ? `Saved for all who use this server. Search and prompts know “${card.label}” now.`
          : `Saved in this browser. Search knows “${card.label}” now.`
        : "The automatic label is back.",
    ),
});
const atlas = new AtlasView(api, project, catalogue, {
  onOpen: (id) => openFeature(id),
  onAdd: (...ids) => {
    sliders.add(...ids);
    say(
      ids.length > 1
        ? `${ids.length} features added to the sliders`
        : `${catalogue.label(ids[0])} added to the sliders`,
    );
  },
  onSearch: () => panel.close(false),
  onError: complain,
});
const labelling = new Labelling(api, catalogue, { onError: complain, say });
const start = new Start(
  api,
  (source, title) => {
    forgive();
    open(source, emptyPlan(), title);
  },
  complain,
);

let settled = true; // whether the newest frame belongs to the newest step
let opening = 0;
const narrow = () => matchMedia("(max-width: 1099px)").matches;

/**
 * @param {Source} source
 * @param {Plan} plan
 * @param {string} title
 * @param {{asked?: Asked, area?: Mask | null}} [how]
 */
async function open(source, plan, title, how = {}) {
  const turn = ++opening;
  byId("stage").classList.add("loading");
  try {
    const picture = await api.open(source);
    const before = await api.steer(picture, emptyPlan());
    if (turn !== opening) return;
    stage.before(before);
    picture.before = before;
    project.open(picture, plan, title, how);
  } catch (error) {
    if (turn === opening) complain(error);
  }
  if (turn === opening) byId("stage").classList.remove("loading");
}

/** @param {number} id */
function openFeature(id) {
  showWhere(null);
  atlas.map.choose(id);
  panel.open(id);
  atlas.map.keepInView(id);
}

/**
 * Show over the picture where a feature acts; null for nothing.
 * @param {number | null} id
 */
function showWhere(id) {
  const image = byId("where");
  const url = id === null ? null : api.cardPictures({ id, example_ids: [] }).footprint;
  image.hidden = !url;
  if (url) image.src = url;
}

project.addEventListener("picture", () => {
  if (!project.picture) return;
  const { before, source } = project.picture;
  if (before) stage.before(before);
  start.mark(source);
});
project.addEventListener("plan", () => {
  settled = false;
  if (project.picture) frames.send(project.picture, project.plan);
});
project.addEventListener("step", async () => {
  settled = true;
  const { picture } = project;
  if (!picture) return;
  frames.send(picture, project.plan);
  globalThis.history.replaceState(null, "", await toFragment({ ...project, picture }));
});

byId("add").addEventListener("click", () => atlas.focusSearch());
byId("download-png").addEventListener("click", () =>
  stage.picture.toBlob((blob) => blob && download(blob, "swiggle.png")),
);
byId("download-plan").addEventListener("click", () =>
  download(new Blob([JSON.stringify({ dictionary: project.dictionary, ...project.plan }, null, 1)], { type: "application/json" }), "plan.json"),
);
byId("download").addEventListener("click", (event) => {
  if (targetOf(event).matches("button")) byId("download").open = false;
});
document.addEventListener("pointerdown", (event) => {
  if (!byId("download").contains(targetOf(event))) byId("download").open = false;
});

byId("share").addEventListener("click", async () => {
  const { picture } = project;
  if (!picture) return;
  const link = new URL(location.href);
  link.hash = await toFragment({ ...project, picture });
  byId("share-link").value = link.href;
  byId("share-dialog").showModal();
  byId("share-copy").focus();
});
byId("share-copy").addEventListener("click", async () => {
  byId("share-link").select();
  await navigator.clipboard?.writeText(byId("share-link").value).catch(() => document.execCommand("copy"));
  byId("share-dialog").close();
  say("Link copied.");
});
byId("share-close").addEventListener("click", () => byId("share-dialog").close());

/** @param {"play" | "label"} name */
function view(name) {
  document.body.dataset.view = name;
  byId("play").hidden = name !== "play";
  byId("label").hidden = name !== "label";
  byId("view-play").ariaPressed = String(name === "play");
  byId("view-label").ariaPressed = String(name === "label");
  if (name === "label") labelling.open();
}
byId("view-play").addEventListener("click", () => view("play"));
byId("view-label").addEventListener("click", () => view("label"));
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !typing(event) && document.body.dataset.view === "play") {
    event.preventDefault();
    atlas.focusSearch();
  }
});

async function openLink() {
  let linked = null;
  try {
    linked = await fromFragment(location.hash, project.dictionary);
    if (linked?.foreign) say("This link was made with another dictionary, so here is its picture without the edit.", true);
  } catch (error) {
    complain(error);
  }
  await open(linked?.source ?? { sample: 0 }, linked?.plan ?? emptyPlan(), linked ? "a shared edit" : "sample 1", {
    asked: linked?.asked,
    area: linked?.area,
  });
}
addEventListener("hashchange", openLink);

async function begin() {
  const model = await api.model();
  project.dictionary = model.dictionary;
  stage.resize(model.image_size);
  start.fill(model);
  const loaded = api.features().then((features) => catalogue.fill(features));
  byId("ask").hidden = !api.can.prompt;
  byId("no-prompt").hidden = api.can.prompt;
  await openLink();
  await loaded;
  if (api.can.prompt) prompt.suggest();
}

watchServer(api, () =>
  catalogue.list.length && project.picture ? frames.send(project.picture, project.plan) : begin().catch(complain),
);
begin().catch((error) => {
  complain(error);
  byId("sliders").ariaBusy = "false";
});
