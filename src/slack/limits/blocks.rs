//! Tables for blocks, and on which surface each may stand.
//!
//! Source: Slack's block reference. Blocks that Switchman does not send are modelled as far as their documented limits go.

use super::Surface;
use super::elements::{self, IN_ACTIONS, IN_CONTEXT_ACTIONS, IN_INPUT, IN_SECTION};
use super::objects::SLACK_FILE;
use super::rules;
use super::shape::{
    ANY_FIELD, ANY_STRING, Field, Kind, Shape, chars, mrkdwn, nothing, optional, plain, required, text,
};
use super::walk::BLOCK;

/// The block types of a surface.
pub(super) const fn on(surface: Surface) -> &'static [&'static str] {
    match surface {
        Surface::Message => &[
            "section",
            "header",
            "divider",
            "image",
            "actions",
            "context",
            "input",
            "video",
            "rich_text",
            "card",
            "carousel",
            "table",
            "data_table",
            "markdown",
            "file",
            "plan",
            "task_card",
            "container",
            "context_actions",
            "data_visualization",
        ],
        Surface::Modal => &[
            "section",
            "header",
            "divider",
            "image",
            "actions",
            "context",
            "input",
            "video",
            "rich_text",
            "card",
            "alert",
        ],
        Surface::Home => &[
            "section",
            "header",
            "divider",
            "image",
            "actions",
            "context",
            "input",
            "video",
            "rich_text",
            "card",
            "carousel",
            "table",
            "data_table",
        ],
    }
}

const BLOCK_ID: &[Field] = &[optional("block_id", chars(255))];
const IMAGE: Kind = Kind::Typed { noun: "element", table: elements::elements, allowed: &["image"] };
const BUTTONS: Kind = Kind::List {
    min: 1,
    max: 25,
    item: &Kind::Typed { noun: "element", table: elements::elements, allowed: &["button"] },
};
const RICH_TEXT: Kind = Kind::Typed { noun: BLOCK, table: blocks, allowed: &["rich_text"] };
const CONTAINED: &[&str] =
    &["actions", "context", "divider", "file", "header", "image", "input", "rich_text", "section", "table", "video"];

const fn items(max: usize, item: &'static Kind) -> Field {
    required("elements", Kind::List { min: 1, max, item })
}

/// Every block that Slack documents.
pub(super) fn blocks() -> &'static [Shape] {
    BLOCKS
}

static BLOCKS: &[Shape] = &[
    Shape {
        name: "section",
        groups: &[
            BLOCK_ID,
            &[
                optional("text", text(3000)),
                optional("fields", Kind::List { min: 1, max: 10, item: &text(2000) }),
                optional("accessory", Kind::Typed { noun: "element", table: elements::elements, allowed: IN_SECTION }),
                optional("expand", Kind::Flag),
            ],
        ],
        also: rules::section,
    },
    Shape {
        name: "header",
        groups: &[BLOCK_ID, &[required("text", plain(150)), optional("level", Kind::Whole { min: 1, max: 4 })]],
        also: nothing,
    },
    Shape { name: "divider", groups: &[BLOCK_ID], also: nothing },
    Shape {
        name: "image",
        groups: &[
            BLOCK_ID,
            &[
                required("alt_text", chars(2000)),
                optional("image_url", chars(3000)),
                optional("slack_file", Kind::Object(&SLACK_FILE)),
                optional("title", plain(2000)),
            ],
        ],
        also: rules::image,
    },
    Shape {
        name: "actions",
        groups: &[
            BLOCK_ID,
            &[items(25, &Kind::Typed { noun: "element", table: elements::elements, allowed: IN_ACTIONS })],
        ],
        also: nothing,
    },
    Shape { name: "context", groups: &[BLOCK_ID, &[items(10, &Kind::Open)]], also: rules::context },
    Shape {
        name: "context_actions",
        groups: &[
            BLOCK_ID,
            &[items(5, &Kind::Typed { noun: "element", table: elements::elements, allowed: IN_CONTEXT_ACTIONS })],
        ],
        also: nothing,
    },
    Shape {
        name: "input",
        groups: &[
            BLOCK_ID,
            &[
                required("label", plain(2000)),
                optional("hint", plain(2000)),
                optional("optional", Kind::Flag),
                optional("dispatch_action", Kind::Flag),
                required("element", Kind::Typed { noun: "element", table: elements::elements, allowed: IN_INPUT }),
            ],
        ],
        also: nothing,
    },
    Shape {
        name: "video",
        groups: &[
            BLOCK_ID,
            &[
                required("video_url", chars(3000)),
                required("thumbnail_url", chars(3000)),
                required("alt_text", chars(2000)),
                required("title", plain(199)),
                optional("title_url", chars(3000)),
                optional("author_name", chars(49)),
                optional("provider_name", ANY_STRING),
                optional("provider_icon_url", chars(3000)),
                optional("description", plain(200)),
            ],
        ],
        also: nothing,
    },
    Shape { name: "rich_text", groups: &[BLOCK_ID, &[items(1000, &Kind::Open)]], also: rules::rich_text },
    Shape { name: "markdown", groups: &[BLOCK_ID, &[required("text", chars(usize::MAX))]], also: nothing },
    Shape {
        name: "file",
        groups: &[BLOCK_ID, &[required("source", Kind::OneOf(&["remote"])), required("external_id", chars(255))]],
        also: nothing,
    },
    Shape {
        name: "alert",
        groups: &[
            BLOCK_ID,
            &[
                required("text", text(3000)),
                optional("level", Kind::OneOf(&["default", "info", "warning", "error", "success"])),
            ],
        ],
        also: nothing,
    },
    Shape {
        name: "card",
        groups: &[
            BLOCK_ID,
            &[
                optional("hero_image", IMAGE),
                optional("icon", IMAGE),
                optional("title", mrkdwn(150)),
                optional("subtitle", mrkdwn(150)),
                optional("body", mrkdwn(200)),
                optional("actions", BUTTONS),
            ],
        ],
        also: rules::card,
    },
    Shape {
        name: "carousel",
        groups: &[BLOCK_ID, &[items(10, &Kind::Typed { noun: BLOCK, table: blocks, allowed: &["card"] })]],
        also: nothing,
    },
    Shape {
        name: "container",
        groups: &[
            BLOCK_ID,
            &[
                optional("title", plain(150)),
                optional("rich_text_title", RICH_TEXT),
                optional("subtitle", text(150)),
                required(
                    "child_blocks",
                    Kind::List {
                        min: 1,
                        max: 10,
                        item: &Kind::Typed { noun: BLOCK, table: blocks, allowed: CONTAINED },
                    },
                ),
                optional("width", Kind::OneOf(&["narrow", "standard", "wide", "full"])),
                optional("icon", IMAGE),
                optional("is_collapsible", Kind::Flag),
                optional("default_collapsed", Kind::Flag),
                optional("has_header_divider", Kind::Flag),
            ],
        ],
        also: rules::container,
    },
    Shape {
        name: "table",
        groups: &[
            BLOCK_ID,
            &[
                required("rows", Kind::List { min: 1, max: 100, item: &Kind::List { min: 1, max: 20, item: &CELL } }),
                optional("column_settings", Kind::List { min: 0, max: 20, item: &Kind::Open }),
            ],
        ],
        also: nothing,
    },
    Shape {
        name: "data_table",
        groups: &[
            BLOCK_ID,
            &[
                required("rows", Kind::List { min: 1, max: 1000, item: &Kind::List { min: 1, max: 100, item: &CELL } }),
                required("caption", chars(3000)),
                optional("page_size", Kind::Whole { min: 1, max: 100 }),
                optional("row_header_column_index", Kind::Whole { min: 0, max: 99 }),
            ],
        ],
        also: nothing,
    },
    TASK_CARD,
    Shape {
        name: "plan",
        groups: &[
            BLOCK_ID,
            &[
                required("title", ANY_STRING),
                optional(
                    "tasks",
                    Kind::List {
                        min: 0,
                        max: 50,
                        item: &Kind::Typed { noun: BLOCK, table: tasks, allowed: &["task_card"] },
                    },
                ),
            ],
        ],
        also: nothing,
    },
    Shape { name: "data_visualization", groups: &[BLOCK_ID, &[optional(ANY_FIELD, Kind::Open)]], also: nothing },
];

fn tasks() -> &'static [Shape] {
    const { &[TASK_CARD] }
}

const TASK_CARD: Shape = Shape {
    name: "task_card",
    groups: &[
        BLOCK_ID,
        &[
            required("task_id", chars(255)),
            required("title", ANY_STRING),
            optional("details", RICH_TEXT),
            optional("output", RICH_TEXT),
            optional(
                "sources",
                Kind::List {
                    min: 0,
                    max: 100,
                    item: &Kind::Typed { noun: "element", table: elements::elements, allowed: &["url"] },
                },
            ),
            required("status", Kind::OneOf(&["pending", "in_progress", "complete", "error"])),
        ],
    ],
    also: nothing,
};

fn cells() -> &'static [Shape] {
    CELLS
}

const CELL: Kind = Kind::Typed { noun: "cell", table: cells, allowed: &["raw_text", "raw_number", "rich_text"] };

static CELLS: &[Shape] = &[
    Shape { name: "raw_text", groups: &[&[required("text", chars(usize::MAX))]], also: nothing },
    Shape {
        name: "raw_number",
        groups: &[&[required("value", Kind::Number), required("text", chars(usize::MAX))]],
        also: nothing,
    },
    Shape { name: "rich_text", groups: &[BLOCK_ID, &[items(1000, &Kind::Open)]], also: rules::rich_text },
];
