// The page: what it is made of, and what happens between the parts.

import { About } from "./features/about.js";
import { createApi } from "./api/api.js";
import { AtlasView } from "./map/atlas-view.js";
import { Brush } from "./editor/brush.js";
import { Catalogue } from "./features/catalogue.js";
import { typing, within } from "./shared/dom.js";
import { Drawing } from "./editor/drawing.js";
import { FeaturePanel } from "./features/feature.js";
import { History } from "./editor/history.js";
import { KeyDialog } from "./api/key.js";
import { Labelling } from "./labelling/labelling.js";
import { emptyPlan } from "./editor/plan.js";
import { Project } from "./editor/project.js";
import { Prompt } from "./editor/prompt.js";
import { ShareDialog } from "./editor/share-dialog.js";
import { fromFragment, toFragment } from "./editor/share.js";
import { Sliders } from "./editor/sliders.js";
import { Stage } from "./editor/stage.js";
import { Start } from "./editor/start.js";
import { speakOf } from "./shared/subject.js";
import { Toast, watchServer } from "./shared/status.js";
import { Tools } from "./editor/tools.js";

/** @import { PageError } from "./shared/types.js" */

const byId = within(document);
/** @type {HTMLMetaElement | null} */
const exported = document.querySelector('meta[name="swiggle-data"]');
const key = new KeyDialog(byId("key-dialog"));
const api = await createApi(exported?.content, () => key.ask());
const project = new Project();
const catalogue = new Catalogue();
const toast = new Toast(byId("toast"));
/** @param {string} text */
const say = (text) => toast.say(text);
/** @param {PageError} error */
const onError = (error) => {
  if (error.code !== "lost") toast.say(error.message, true);
};

const stage = new Stage(byId("look"), { onMode: () => brush.close(), onDrop: (file) => start.upload(file) });
const brush = new Brush(byId("look"), project, say);
const history = new History(byId("history"), api, project);
const drawing = new Drawing(api, project, stage, { onSettled: () => history.keep(stage.picture), onError });
const sliders = new Sliders(byId("features"), project, catalogue, {
  onFind: () => atlas.focusSearch(),
  onOpen: (id) => openFeature(id),
  onWhere: showWhere,
});
const prompt = new Prompt(byId("asking"), api, project, catalogue);
const panel = new FeaturePanel(byId("panel"), api, project, catalogue, {
  onUse: (id) => {
    if (narrow()) panel.close();
    sliders.add(id);
  },
  onAsk: (label) => {
    if (narrow()) panel.close();
    prompt.askFor(label);
  },
  onSet: (id, strength) => sliders.set(id, strength),
  onClose: () => atlas.choose(-1),
  onError,
  onSaved: (card) =>
    say(
      card.source === "hand"
        ? api.can.publish
          ? `Saved for all who use this server. Search and prompts know “${card.label}” now.`
          : `Saved in this browser. Search knows “${card.label}” now.`
        : "The automatic label is back.",
    ),
});
const atlas = new AtlasView(byId("atlas"), api, project, catalogue, {
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
  onError,
});
const labelling = new Labelling(byId("label"), api, catalogue, { onError, say });
const start = new Start(byId("starting"), api, {
  onSource: (source, title) => {
    toast.forgive();
    drawing.open(source, emptyPlan(), title);
  },
  onError,
});
const about = new About(byId("about-dialog"), catalogue);
const shareDialog = new ShareDialog(byId("share-dialog"), () => say("Link copied."));
new Tools(byId("tools"), project, {
  picture: () => stage.picture,
  onShare: async () => {
    const { picture } = project;
    if (!picture) return;
    const link = new URL(location.href);
    link.hash = await toFragment({ ...project, picture });
    shareDialog.open(link.href);
  },
});

// Without a decoder there is nothing to edit: the map, the list and the cards are left.
if (!api.can.steer) {
  byId("play").classList.add("map-only");
  for (const part of ["skip", "tagline", "tools", "subject", "features"]) byId(part).hidden = true;
  byId("no-sliders").hidden = false;
}

const narrow = () => matchMedia("(max-width: 1099px)").matches;

/** @param {number} id */
function openFeature(id) {
  showWhere(null);
  panel.open(id);
  atlas.choose(id);
}

/**
 * Show over the picture where a feature acts; null for nothing.
 * @param {number | null} id
 */
function showWhere(id) {
  stage.overlay(id === null ? null : api.cardPictures({ id, example_ids: [] }).footprint);
}

project.addEventListener("picture", () => {
  if (!project.picture) return;
  start.mark(project.picture.source);
  stage.uploaded(project.picture.source.image);
});
project.addEventListener("step", async () => {
  const { picture } = project;
  if (picture) globalThis.history.replaceState(null, "", await toFragment({ ...project, picture }));
});

/** @param {"play" | "label"} name */
function view(name) {
  document.body.dataset.view = name;
  for (const other of /** @type {const} */ (["play", "label"])) {
    byId(other).hidden = name !== other;
    byId(`view-${other}`).ariaPressed = String(name === other);
  }
  if (name === "label") labelling.open();
}
byId("view-play").addEventListener("click", () => view("play"));
byId("view-about").addEventListener("click", () => about.open());
byId("view-label").addEventListener("click", () => view("label"));
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !typing(event) && document.body.dataset.view === "play") {
    event.preventDefault();
    atlas.focusSearch();
  }
});

async function openLink() {
  if (!api.can.steer) return;
  let linked = null;
  try {
    linked = await fromFragment(location.hash, project.dictionary);
    if (linked?.foreign)
      toast.say("This link was made with another dictionary, so here is its picture without the edit.", true);
  } catch (error) {
    onError(error);
  }
  await drawing.open(
    linked?.source ?? { sample: 0 },
    linked?.plan ?? emptyPlan(),
    linked ? "a shared edit" : "sample 1",
    { asked: linked?.asked, area: linked?.area },
  );
}
addEventListener("hashchange", openLink);

async function begin() {
  const model = await api.model();
  project.dictionary = model.dictionary;
  speakOf(model.subject ?? "picture", document.querySelectorAll("[data-subject]"));
  stage.resize(model.image_size);
  start.fill(model);
  about.fill(model);
  const loaded = api.features().then((features) => catalogue.fill(features));
  await openLink();
  await loaded;
  if (api.can.prompt) prompt.suggest();
}

watchServer(byId("banner"), api, () => {
  say("The server is back.");
  if (catalogue.list.length && project.picture) drawing.draw();
  else begin().catch(onError);
});
begin().catch((error) => {
  onError(error);
  sliders.loaded();
});
