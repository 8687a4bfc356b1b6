// Modals: the top of the member's stack in a <dialog>, with inline errors; and the small "are you sure" dialogs.
import { h, morph, toast } from "./dom.js";
import { act } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { collect } from "./elements.js";
import { text, words } from "./mrkdwn.js";
import { avatar } from "./people.js";
import { store, on } from "./store.js";

let shown = null;
let typed = {};

function dialog() {
  return document.getElementById("modal");
}

function top() {
  return store.views[store.views.length - 1];
}

/** What the fields of a view hold: the playground's state with what was typed here on top. */
function held(view) {
  const values = structuredClone(view.values ?? {});
  for (const [block, actions] of Object.entries(typed[view.id] ?? {})) {
    for (const [action, raw] of Object.entries(actions)) {
      const known = values[block]?.[action];
      if (!known || raw === undefined) continue;
      const key = Object.keys(known).find((one) => one !== "type");
      if (key === "selected_option") known[key] = raw && { value: raw };
      else if (key === "selected_options") known[key] = (raw ?? []).map((value) => ({ value }));
      else known[key] = raw;
    }
  }
  return values;
}

function draw() {
  const box = dialog();
  const view = top();
  if (shown && box.open) typed[shown] = collect(box);
  if (!view) {
    shown = null;
    typed = {};
    if (box.open) box.close();
    return;
  }
  const fresh = h("div", { class: "frame", "data-place": "view", "data-place-id": view.id }, form(view));
  const old = box.firstElementChild;
  if (old && shown === view.id && box.open) morph(old, fresh);
  else box.replaceChildren(fresh);
  const isNew = shown !== view.id;
  shown = view.id;
  box.setAttribute("aria-labelledby", "modal-title");
  if (!box.open) box.showModal();
  if (isNew) (box.querySelector("[autofocus]") ?? box.querySelector(".modal-body input, .modal-body select, .modal-body textarea") ?? box.querySelector(".modal-body"))?.focus();
}

function form(view) {
  const { title, submit, close } = view.body;
  const back = store.views.length > 1;
  return h("form", { method: "dialog", novalidate: true, "data-view-id": view.id, "data-callback-id": view.body.callback_id ?? "" },
    h("header", { class: "modal-head" }, avatar("", "app"), h("h2", { id: "modal-title" }, words(title)),
      h("button", { type: "button", class: "icon cross", "data-close": "all", "aria-label": "Close" }, "✕")),
    h("div", { class: "modal-body", tabindex: "-1" }, renderBlocks(view.body.blocks, held(view)), h("p", { class: "modal-error", role: "alert", "data-error-for": "" })),
    h("footer", { class: "modal-foot" },
      h("button", { type: "button", class: "btn", "data-close": "one" }, words(close) || (back ? "Back" : submit ? "Cancel" : "Close")),
      submit && h("button", { type: "submit", class: "btn primary" }, words(submit))));
}

function showErrors(errors) {
  const box = dialog();
  for (const node of box.querySelectorAll("[data-error-for]")) node.textContent = "";
  for (const node of box.querySelectorAll("[aria-invalid]")) node.removeAttribute("aria-invalid");
  let first = null;
  for (const [block, message] of errors) {
    const place = box.querySelector(`[data-error-for="${CSS.escape(block)}"]`) ?? box.querySelector('[data-error-for=""]');
    place.textContent = place.dataset.errorFor ? message : `${block}: ${message}`;
    const field = box.querySelector(`.block[data-block-id="${CSS.escape(block)}"] :is(input, select, textarea)`);
    field?.setAttribute("aria-invalid", "true");
    if (field && (!first || field.compareDocumentPosition(first) & Node.DOCUMENT_POSITION_FOLLOWING)) first = field;
  }
  first?.focus();
}

async function submit(event) {
  event.preventDefault();
  const box = dialog();
  const view = top();
  const button = box.querySelector("[type=submit]");
  if (!view || !button || button.dataset.busy !== undefined) return;
  button.dataset.busy = "";
  showErrors([]);
  const values = collect(box);
  const ack = await act("submit", { view_id: view.id, values });
  delete button.dataset.busy;
  if (!ack) return;
  if (ack.errors.length) showErrors(ack.errors);
  else if (ack.outcome !== "acknowledged") {
    showErrors([["", ""]]);
    box.querySelector('[data-error-for=""]').textContent = "We had some trouble connecting. Try again?" + (ack.outcome === "operation_timeout" ? " (operation_timeout)" : " (dispatch_failed)");
  }
}

async function close(all) {
  const view = top();
  if (view) await act("close", { view_id: view.id, all });
}

/** Asks with the texts of a confirm object; true when confirmed. */
export function confirmed(object) {
  const box = document.getElementById("confirm");
  box.replaceChildren(h("form", { method: "dialog" },
    h("header", { class: "modal-head" }, h("h2", { id: "confirm-title" }, words(object.title))),
    h("div", { class: "modal-body" }, ...text(object.text)),
    h("footer", { class: "modal-foot" }, h("button", { class: "btn", value: "no", autofocus: object.style === "danger" }, words(object.deny) || "Cancel"),
      h("button", { class: `btn ${object.style === "danger" ? "danger" : "primary"}`, value: "yes", autofocus: object.style !== "danger" }, words(object.confirm) || "Yes"))));
  box.setAttribute("aria-labelledby", "confirm-title");
  box.returnValue = "no";
  box.showModal();
  return new Promise((done) => box.addEventListener("close", () => done(box.returnValue === "yes"), { once: true }));
}

export function startModal() {
  const box = dialog();
  box.addEventListener("submit", submit);
  box.addEventListener("cancel", (event) => {
    event.preventDefault();
    close(true);
  });
  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-close]");
    if (button) close(button.dataset.close === "all");
  });
  box.addEventListener("input", (event) => {
    const block = event.target.closest(".block")?.dataset.blockId;
    const place = block && box.querySelector(`[data-error-for="${CSS.escape(block)}"]`);
    if (place) place.textContent = "";
    event.target.removeAttribute("aria-invalid");
  });
  on("views", draw);
  on("notice", (notice) => {
    if (box.open) toast(`${notice.title}. ${notice.problems.map((one) => one.join(" ")).join("; ")}`, "error");
  });
}
