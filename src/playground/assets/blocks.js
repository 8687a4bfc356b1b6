// Block Kit as DOM. Nothing is wired here: elements carry data-block-id and data-action-id, elements.js listens for all of them.
import { h } from "./dom.js";
import { control } from "./elements.js";
import { emoji } from "./emoji.js";
import { markdown, text, words } from "./mrkdwn.js";
import { channel, nameOf } from "./people.js";

/** `held` is state.values of the view (or nothing): what the fields already hold. */
export function renderBlocks(blocks, held = {}) {
  return (blocks ?? []).map((block, at) => {
    const node = (RENDER[block.type] ?? unknown)(block, held);
    node.classList.add("block", `b-${block.type}`);
    node.dataset.blockId = block.block_id ?? "";
    node.dataset.key = `${block.type}:${/^b[0-9a-f]{10}$/.test(block.block_id ?? "") ? at : block.block_id}`;
    return node;
  });
}

const RENDER = {
  header: (block) => h("h3", {}, words(block.text)),
  divider: () => h("hr"),
  markdown: (block) => h("div", {}, ...markdown(block.text ?? "")),
  image: (block) => image(block),
  context: (block) => h("div", {}, (block.elements ?? []).map((element) =>
    element.type === "image" ? h("img", { src: element.image_url, alt: element.alt_text, class: "tiny" }) : h("span", {}, ...text(element)))),
  section: (block, held) => h("div", {},
    h("div", { class: "section-body" },
      block.text && h("div", { class: "section-text" }, ...text(block.text)),
      block.fields && h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "field" }, ...text(field))))),
    block.accessory && h("div", { class: "accessory" }, control(block.accessory, block, held))),
  actions: (block, held) => h("div", { role: "group", "aria-label": "Actions" }, (block.elements ?? []).map((element) => control(element, block, held))),
  input: (block, held) => input(block, held),
  rich_text: (block) => h("div", {}, (block.elements ?? []).map(richBlock)),
  table: (block) => table(block),
  alert: (block) => h("div", { role: "note", "data-level": block.level ?? "info" }, ...text(block.text)),
};

function unknown(block) {
  return h("div", { class: "unknown", role: "note" }, h("b", {}, block.type ?? "no type"), " is a block the playground does not draw. ",
    h("details", {}, h("summary", {}, "JSON"), h("pre", {}, JSON.stringify(block, null, 2))));
}

function image(block) {
  const source = block.image_url ?? block.slack_file?.url ?? "";
  return h("figure", {}, block.title && h("figcaption", {}, words(block.title)), h("img", { src: source, alt: block.alt_text ?? "", loading: "lazy" }));
}

function input(block, held) {
  const id = `f-${block.block_id}`;
  const kind = block.element?.type;
  const several = ["checkboxes", "radio_buttons"].includes(kind) || kind?.startsWith("multi_");
  const label = [words(block.label), block.optional && h("span", { class: "optional" }, " (optional)")];
  const field = control(block.element ?? {}, block, held, id);
  field.dataset.field = "";
  const parts = [
    h(several ? "legend" : "label", several ? {} : { for: id }, ...label),
    field,
    block.hint && h("p", { class: "hint", id: `${id}-hint` }, words(block.hint)),
    h("p", { class: "error", id: `${id}-error`, role: "alert", "data-error-for": block.block_id }),
  ];
  const target = field.matches("input,select,textarea") ? field : field.querySelector("input,select,textarea");
  target?.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  return h(several ? "fieldset" : "div", { class: "input", "data-dispatch": block.dispatch_action ? "" : null }, ...parts);
}

function table(block) {
  const [head = [], ...rows] = block.rows ?? [];
  const settings = block.column_settings ?? [];
  const cell = (tag) => (content, at) => {
    const align = settings[at]?.align;
    return h(tag, { class: align ? `align-${align}` : null, scope: tag === "th" ? "col" : null }, content?.type === "rich_text" ? (content.elements ?? []).map(richBlock) : words(content));
  };
  return h("div", { class: "table-wrap", tabindex: "0", role: "group", "aria-label": "Table" },
    h("table", {}, h("thead", {}, h("tr", {}, head.map(cell("th")))), h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell("td")))))));
}

function richBlock(element) {
  const parts = (element.elements ?? []).map((part) => (part.type?.startsWith("rich_text") ? richBlock(part) : richLeaf(part)));
  switch (element.type) {
    case "rich_text_list":
      return h(element.style === "ordered" ? "ol" : "ul", { class: `indent-${element.indent ?? 0}` }, parts.map((part) => h("li", {}, part)));
    case "rich_text_quote": return h("blockquote", {}, ...parts);
    case "rich_text_preformatted": return h("pre", {}, ...parts);
    default: return h("div", {}, ...parts);
  }
}

function richLeaf(leaf) {
  const node = {
    text: () => h("span", {}, ...(leaf.text ?? "").split("\n").flatMap((line, at) => (at ? [h("br"), line] : [line]))),
    link: () => h("a", { href: /^(https?|mailto):/i.test(leaf.url ?? "") ? leaf.url : null, target: "_blank", rel: "noreferrer" }, leaf.text ?? leaf.url),
    user: () => h("span", { class: "mention" }, `@${nameOf(leaf.user_id)}`),
    channel: () => h("a", { class: "mention", href: `#${leaf.channel_id}`, "data-channel-id": leaf.channel_id }, `#${channel(leaf.channel_id)?.name ?? leaf.channel_id}`),
    emoji: () => h("span", { class: "emoji" }, emoji(leaf.name) ?? `:${leaf.name}:`),
    broadcast: () => h("span", { class: "mention me" }, `@${leaf.range}`),
  }[leaf.type]?.() ?? h("span", { class: "unknown" }, `[${leaf.type}]`);
  const style = leaf.style ?? {};
  const wraps = { bold: "strong", italic: "em", strike: "s", code: "code" };
  return Object.entries(wraps).reduce((inner, [name, tag]) => (style[name] ? h(tag, {}, inner) : inner), node);
}
