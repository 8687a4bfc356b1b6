//! Tables for block elements, and which of them may stand where.
//!
//! Sources: Slack's block element reference and the compatibility unions of `@slack/types` 3.2.

use super::objects::{
    CONFIRM, DISPATCH, FILTER, OPTION, OPTION_GROUP, OVERFLOW_OPTION, RICH_OPTION, SLACK_FILE, STYLE,
};
use super::rules;
use super::shape::{ANY_STRING, Field, Kind, Shape, chars, nothing, optional, plain, required};

/// Elements of an `actions` block.
pub(super) const IN_ACTIONS: &[&str] = &[
    "button",
    "checkboxes",
    "datepicker",
    "datetimepicker",
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
    "overflow",
    "radio_buttons",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "timepicker",
    "workflow_button",
    "rich_text_input",
];

/// The accessory of a `section`.
pub(super) const IN_SECTION: &[&str] = &[
    "button",
    "checkboxes",
    "datepicker",
    "image",
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
    "overflow",
    "radio_buttons",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "timepicker",
    "workflow_button",
];

/// The element of an `input` block.
pub(super) const IN_INPUT: &[&str] = &[
    "checkboxes",
    "datepicker",
    "datetimepicker",
    "email_text_input",
    "file_input",
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
    "number_input",
    "plain_text_input",
    "radio_buttons",
    "rich_text_input",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "timepicker",
    "url_text_input",
];

/// Elements of a `context_actions` block.
pub(super) const IN_CONTEXT_ACTIONS: &[&str] = &["feedback_buttons", "icon_button"];

const ACTION_ID: Field = optional("action_id", chars(255));
const CONFIRMED: Field = optional("confirm", Kind::Object(&CONFIRM));
const FOCUS: Field = optional("focus_on_load", Kind::Flag);
const PLACEHOLDER: Field = optional("placeholder", plain(150));
const LABEL_FOR_READERS: Field = optional("accessibility_label", chars(75));
const VALUE: Field = optional("value", chars(2000));

const CLICKED: &[Field] = &[ACTION_ID, CONFIRMED];
const PICKED: &[Field] = &[ACTION_ID, CONFIRMED, FOCUS];
const CHOSEN: &[Field] = &[ACTION_ID, CONFIRMED, FOCUS, PLACEHOLDER];
const CHOSEN_MANY: &[Field] =
    &[ACTION_ID, CONFIRMED, FOCUS, PLACEHOLDER, optional("max_selected_items", Kind::Whole { min: 1, max: 1000 })];
const TYPED: &[Field] = &[ACTION_ID, FOCUS, PLACEHOLDER, optional("dispatch_action_config", Kind::Object(&DISPATCH))];
const IMAGE: &[Field] = &[
    required("alt_text", chars(2000)),
    optional("image_url", chars(3000)),
    optional("slack_file", Kind::Object(&SLACK_FILE)),
];
const ONE_OPTION: Kind = Kind::Object(&OPTION);
const ONE_GROUP: Kind = Kind::Object(&OPTION_GROUP);
const STATIC_OPTIONS: &[Field] = &[
    optional("options", Kind::List { min: 1, max: 100, item: &ONE_OPTION }),
    optional("option_groups", Kind::List { min: 1, max: 100, item: &ONE_GROUP }),
];
const TEN_OPTIONS: Kind = Kind::List { min: 1, max: 10, item: &Kind::Object(&RICH_OPTION) };
const OPTIONS_CHOSEN: Kind = Kind::List { min: 1, max: 100, item: &ONE_OPTION };
const IDS: Kind = Kind::List { min: 0, max: 1000, item: &chars(255) };
const MIN_QUERY: Field = optional("min_query_length", Kind::Whole { min: 0, max: 3000 });

const fn element(name: &'static str, groups: &'static [&'static [Field]]) -> Shape {
    Shape { name, groups, also: rules::element }
}

/// Every element that Slack documents.
pub(super) fn elements() -> &'static [Shape] {
    ELEMENTS
}

static ELEMENTS: &[Shape] = &[
    Shape {
        name: "button",
        groups: &[
            CLICKED,
            &[
                required("text", plain(75)),
                VALUE,
                optional("url", chars(3000)),
                optional("style", STYLE),
                LABEL_FOR_READERS,
            ],
        ],
        also: rules::element,
    },
    element(
        "workflow_button",
        &[
            CLICKED,
            &[
                required("text", plain(75)),
                required("workflow", Kind::Open),
                optional("style", STYLE),
                LABEL_FOR_READERS,
            ],
        ],
    ),
    element(
        "icon_button",
        &[
            CLICKED,
            &[
                required("icon", chars(255)),
                required("text", plain(75)),
                VALUE,
                LABEL_FOR_READERS,
                optional("visible_to_user_ids", IDS),
            ],
        ],
    ),
    element(
        "feedback_buttons",
        &[&[ACTION_ID, required("positive_button", Kind::Open), required("negative_button", Kind::Open)]],
    ),
    element(
        "overflow",
        &[CLICKED, &[required("options", Kind::List { min: 1, max: 5, item: &Kind::Object(&OVERFLOW_OPTION) })]],
    ),
    Shape {
        name: "checkboxes",
        groups: &[PICKED, &[required("options", TEN_OPTIONS), optional("initial_options", TEN_OPTIONS)]],
        also: rules::choice,
    },
    Shape {
        name: "radio_buttons",
        groups: &[PICKED, &[required("options", TEN_OPTIONS), optional("initial_option", Kind::Object(&RICH_OPTION))]],
        also: rules::choice,
    },
    element("datepicker", &[CHOSEN, &[optional("initial_date", Kind::Date)]]),
    element(
        "datetimepicker",
        &[PICKED, &[optional("initial_date_time", Kind::Whole { min: 1_000_000_000, max: 9_999_999_999 })]],
    ),
    element("timepicker", &[CHOSEN, &[optional("initial_time", Kind::Time), optional("timezone", chars(255))]]),
    Shape {
        name: "static_select",
        groups: &[CHOSEN, STATIC_OPTIONS, &[optional("initial_option", Kind::Object(&OPTION))]],
        also: rules::static_choice,
    },
    Shape {
        name: "multi_static_select",
        groups: &[CHOSEN_MANY, STATIC_OPTIONS, &[optional("initial_options", OPTIONS_CHOSEN)]],
        also: rules::static_choice,
    },
    element("external_select", &[CHOSEN, &[MIN_QUERY, optional("initial_option", Kind::Object(&OPTION))]]),
    element("multi_external_select", &[CHOSEN_MANY, &[MIN_QUERY, optional("initial_options", OPTIONS_CHOSEN)]]),
    element("users_select", &[CHOSEN, &[optional("initial_user", chars(255))]]),
    element("multi_users_select", &[CHOSEN_MANY, &[optional("initial_users", IDS)]]),
    element("channels_select", &[CHOSEN, &[optional("initial_channel", chars(255)), RESPONSE_URL]]),
    element("multi_channels_select", &[CHOSEN_MANY, &[optional("initial_channels", IDS)]]),
    element(
        "conversations_select",
        &[CHOSEN, CONVERSATIONS, &[optional("initial_conversation", chars(255)), RESPONSE_URL]],
    ),
    element("multi_conversations_select", &[CHOSEN_MANY, CONVERSATIONS, &[optional("initial_conversations", IDS)]]),
    Shape {
        name: "plain_text_input",
        groups: &[
            TYPED,
            &[
                optional("initial_value", ANY_STRING),
                optional("multiline", Kind::Flag),
                optional("min_length", Kind::Whole { min: 0, max: 3000 }),
                optional("max_length", Kind::Whole { min: 1, max: 3000 }),
            ],
        ],
        also: rules::text_input,
    },
    element("email_text_input", &[TYPED, &[optional("initial_value", ANY_STRING)]]),
    element("url_text_input", &[TYPED, &[optional("initial_value", ANY_STRING)]]),
    Shape {
        name: "number_input",
        groups: &[
            TYPED,
            &[
                required("is_decimal_allowed", Kind::Flag),
                optional("initial_value", Kind::Digits),
                optional("min_value", Kind::Digits),
                optional("max_value", Kind::Digits),
            ],
        ],
        also: rules::number_input,
    },
    element(
        "rich_text_input",
        &[
            TYPED,
            &[
                optional("initial_value", Kind::Open),
                optional("min_lines", Kind::Whole { min: 1, max: 100 }),
                optional("max_lines", Kind::Whole { min: 1, max: 100 }),
            ],
        ],
    ),
    element(
        "file_input",
        &[&[
            ACTION_ID,
            optional("filetypes", Kind::List { min: 1, max: 1000, item: &chars(255) }),
            optional("max_files", Kind::Whole { min: 1, max: 10 }),
        ]],
    ),
    Shape { name: "image", groups: &[IMAGE], also: rules::image },
    Shape { name: "url", groups: &[&[required("url", chars(3000)), required("text", ANY_STRING)]], also: nothing },
];

const RESPONSE_URL: Field = optional("response_url_enabled", Kind::Flag);
const CONVERSATIONS: &[Field] =
    &[optional("default_to_current_conversation", Kind::Flag), optional("filter", Kind::Object(&FILTER))];
