// Interactive elements: drawing them, reading what is filled in, and telling the playground about clicks and choices.
import { h } from "./dom.js";
import { click } from "./api.js";
import { confirmed } from "./modal.js";
import { words } from "./mrkdwn.js";
import { store } from "./store.js";

/** The control for an element of a block. `id` is given inside input blocks, where nothing is sent before submit. */
export function control(element, block, held, id) {
  const known = held?.[block.block_id]?.[element.action_id];
  const marks = {
    "data-block-id": block.block_id, "data-action-id": element.action_id, "data-kind": element.type, id: id ?? null,
    "data-confirm": element.confirm ? JSON.stringify(element.confirm) : null,
    "data-sends": !id || block.dispatch_action ? "" : null,
  };
  const draw = DRAW[element.type] ?? (element.type?.startsWith("multi_") ? DRAW.multi : null);
  if (!draw) return h("span", { class: "unknown", role: "note" }, `[${element.type}: not drawn here]`);
  return draw(element, marks, known, block);
}

const TEXT_TYPES = { number_input: "number", email_text_input: "email", url_text_input: "url", plain_text_input: "text" };

const DRAW = {
  button: (element, marks) => {
    const look = { class: `btn ${element.style ?? ""}`, ...marks, "aria-label": element.accessibility_label ?? null };
    if (element.url) return h("a", { ...look, href: /^https?:/i.test(element.url) ? element.url : null, target: "_blank", rel: "noreferrer" }, words(element.text));
    return h("button", { type: "button", ...look }, words(element.text));
  },
  image: (element) => h("img", { src: element.image_url, alt: element.alt_text, class: "thumb" }),
  overflow: (element, marks) => h("details", { class: "overflow" }, h("summary", { "aria-label": "More actions" }, "⋯"),
    h("div", { class: "menu-list", role: "menu" }, (element.options ?? []).map((option) =>
      h("button", { type: "button", role: "menuitem", ...marks, "data-value": option.value }, words(option.text))))),
  static_select: (element, marks, known) => {
    const chosen = (known ? known.selected_option : element.initial_option)?.value;
    const option = (one) => h("option", { value: one.value, selected: one.value === chosen }, words(one.text));
    const groups = (element.option_groups ?? []).map((group) => h("optgroup", { label: words(group.label) }, group.options.map(option)));
    return menu(element, marks, chosen, [...(element.options ?? []).map(option), ...groups]);
  },
  users_select: (element, marks, known) => {
    const chosen = known ? known.selected_user : element.initial_user;
    const people = store.workspace.members.filter((one) => !one.deactivated);
    return menu(element, marks, chosen, people.map((one) => h("option", { value: one.id, selected: one.id === chosen }, one.name)));
  },
  channels_select: (element, marks, known) => channels(element, marks, known ? known.selected_channel : element.initial_channel),
  conversations_select: (element, marks, known) => channels(element, marks, known ? known.selected_conversation : element.initial_conversation),
  radio_buttons: (element, marks, known) => {
    const chosen = (known ? known.selected_option : element.initial_option)?.value;
    return choices(element.options, marks, "radio", (value) => value === chosen);
  },
  checkboxes: (element, marks, known) => {
    const chosen = (known ? known.selected_options : element.initial_options) ?? [];
    return choices(element.options, marks, "checkbox", (value) => chosen.some((one) => one.value === value));
  },
  multi: (element, marks, known) => {
    const people = element.type === "multi_users_select";
    const places = ["multi_channels_select", "multi_conversations_select"].includes(element.type);
    const from = people ? store.workspace.members : store.workspace.channels.filter((one) => !one.direct_with);
    const options = people || places ? from.map((one) => ({ value: one.id, text: one.name })) : element.options;
    const list = Object.entries(known ?? {}).find(([key]) => key.startsWith("selected_"))?.[1] ?? [];
    return choices(options, marks, "checkbox", (value) => list.some((one) => (one.value ?? one) === value));
  },
  datepicker: (element, marks, known) => h("input", { type: "date", ...marks, value: known ? known.selected_date : element.initial_date }),
  timepicker: (element, marks, known) => h("input", { type: "time", ...marks, value: known ? known.selected_time : element.initial_time }),
  datetimepicker: (element, marks, known) => {
    const seconds = known ? known.selected_date_time : element.initial_date_time;
    const local = seconds && new Date(seconds * 1000 - new Date(seconds * 1000).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    return h("input", { type: "datetime-local", ...marks, value: local });
  },
  plain_text_input: (element, marks, known) => {
    const value = (known ? known.value : element.initial_value) ?? "";
    const look = { ...marks, placeholder: element.placeholder && words(element.placeholder), autofocus: element.focus_on_load, maxlength: element.max_length, "data-dispatch-on": element.dispatch_action_config?.trigger_actions_on?.join(" ") };
    return element.multiline ? h("textarea", { rows: 4, ...look }, value) : h("input", { type: "text", autocomplete: "off", ...look, value });
  },
  number_input: (element, marks, known) => textInput(element, { ...marks, step: element.is_decimal_allowed ? "any" : "1", min: element.min_value, max: element.max_value, inputmode: element.is_decimal_allowed ? "decimal" : "numeric" }, known),
  email_text_input: (element, marks, known) => textInput(element, marks, known),
  url_text_input: (element, marks, known) => textInput(element, marks, known),
};

function textInput(element, marks, known) {
  return h("input", { type: TEXT_TYPES[element.type], ...marks, placeholder: element.placeholder && words(element.placeholder), value: (known ? known.value : element.initial_value) ?? "" });
}

function menu(element, marks, chosen, options) {
  const placeholder = element.placeholder ? words(element.placeholder) : "Choose…";
  return h("select", { ...marks, class: "select", "aria-label": marks.id ? null : placeholder }, h("option", { value: "", selected: !chosen }, placeholder), options);
}

function channels(element, marks, chosen) {
  const open = store.workspace.channels.filter((one) => !one.direct_with);
  return menu(element, marks, chosen, open.map((one) => h("option", { value: one.id, selected: one.id === chosen }, `# ${one.name}`)));
}

function choices(options, marks, type, isChosen) {
  const { id, ...rest } = marks;
  const name = `${marks["data-block-id"]}.${marks["data-action-id"]}`;
  return h("div", { class: "choices", id, "data-choices": "", ...rest }, (options ?? []).map((option) => h("label", { class: "choice" },
    h("input", { type, name, value: option.value, checked: isChosen(option.value) }),
    h("span", {}, words(option.text), option.description && h("small", {}, words(option.description))))));
}

function valueOf(node) {
  if (node.dataset.choices !== undefined) {
    const all = [...node.querySelectorAll("input:checked")].map((one) => one.value);
    return node.querySelector("input[type=radio]") ? all[0] ?? null : all;
  }
  if (node.type === "datetime-local") return node.value ? String(Math.floor(new Date(node.value) / 1000)) : null;
  return node.value === "" ? null : node.value;
}

/** What all fields inside `root` hold, as {block: {action: value}}. */
export function collect(root) {
  const values = {};
  for (const node of root.querySelectorAll("[data-action-id][data-kind]")) {
    const { blockId, actionId, kind } = node.dataset;
    if (["button", "overflow"].includes(kind)) continue;
    (values[blockId] ??= {})[actionId] = valueOf(node);
  }
  return values;
}

function placeOf(node) {
  const { place, placeId } = node.closest("[data-place]").dataset;
  return place === "home" ? "home" : { [place]: placeId };
}

async function send(node, value) {
  // Read before asking: the message may change while the question is open, and then the click is one on a stale screen.
  const deed = { place: placeOf(node), block_id: node.dataset.blockId, action_id: node.dataset.actionId, value, values: collect(node.closest("[data-place]")) };
  if (node.dataset.confirm && !(await confirmed(JSON.parse(node.dataset.confirm)))) return;
  node.dataset.busy = "";
  node.closest("details.overflow")?.removeAttribute("open");
  await click({ ...deed, stale: !node.isConnected });
  delete node.dataset.busy;
}

/** Listens once for everything interactive on the page. */
export function startElements() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.overflow[open]")) if (!menu.contains(event.target)) menu.open = false;
    const node = event.target.closest("button[data-action-id], a[data-action-id]");
    if (!node || !node.closest("[data-place]") || node.dataset.busy !== undefined) return;
    send(node, node.dataset.value ?? null);
  });
  document.addEventListener("change", (event) => {
    const node = event.target.closest("[data-action-id][data-sends]");
    if (node && node.localName !== "button" && node.closest("[data-place]") && node.dataset.kind !== "plain_text_input") send(node, valueOf(node));
  });
  document.addEventListener("keydown", (event) => {
    const node = event.target;
    if (event.key === "Enter" && node.dataset?.sends !== undefined && node.dataset?.kind === "plain_text_input" && node.localName === "input") {
      event.preventDefault();
      send(node, valueOf(node));
    }
  });
}
