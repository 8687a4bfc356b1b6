// The app's Home tab: asked for when it is opened, drawn when it is published.
import { h, morph } from "./dom.js";
import { act } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { avatar } from "./people.js";
import { store } from "./store.js";

let drawnFor = null;

/** Tells the bot that the tab was opened. */
export function openHome() {
  act("home");
}

export function drawHome() {
  const box = document.getElementById("home");
  const view = store.home;
  const inner = view ? renderBlocks(view.body.blocks, view.values) : [h("div", { class: "empty" }, avatar("", "app"), h("p", {}, `${store.workspace.app.name} has nothing on its Home tab yet.`))];
  const fresh = h("div", { class: "home-inner", "data-place": "home", "data-place-id": view?.id ?? "" }, inner);
  const old = box.firstElementChild;
  if (old && drawnFor === store.me) morph(old, fresh);
  else box.replaceChildren(fresh);
  drawnFor = store.me;
}
