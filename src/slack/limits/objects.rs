//! Tables for the objects inside elements: options, option groups, confirm dialogs, filters.

use super::shape::{Field, Kind, Shape, chars, nothing, optional, plain, required, text};

const COLOURS: &[&str] = &["primary", "danger"];

/// An `Option` of menus: plain text only.
pub(super) static OPTION: Shape =
    Shape { name: "option", groups: &[&[required("text", plain(75))], OPTION_REST], also: nothing };

/// An option of an overflow menu, which may carry a link.
pub(super) static OVERFLOW_OPTION: Shape = Shape {
    name: "option",
    groups: &[&[required("text", plain(75)), optional("url", chars(3000))], OPTION_REST],
    also: nothing,
};

/// An option of radio buttons and checkboxes: either text.
pub(super) static RICH_OPTION: Shape = Shape {
    name: "option",
    groups: &[&[required("text", text(75)), required("value", chars(150)), optional("description", text(75))]],
    also: nothing,
};

const OPTION_REST: &[Field] = &[required("value", chars(150)), optional("description", plain(75))];

/// Several options under one label.
pub(super) static OPTION_GROUP: Shape = Shape {
    name: "option group",
    groups: &[&[
        required("label", plain(75)),
        required("options", Kind::List { min: 1, max: 100, item: &Kind::Object(&OPTION) }),
    ]],
    also: nothing,
};

/// The "are you sure" of an element.
pub(super) static CONFIRM: Shape = Shape {
    name: "confirm",
    groups: &[&[
        optional("title", plain(100)),
        required("text", text(300)),
        optional("confirm", plain(30)),
        optional("deny", plain(30)),
        optional("style", Kind::OneOf(COLOURS)),
    ]],
    also: nothing,
};

/// When an input tells the app about typing.
pub(super) static DISPATCH: Shape = Shape {
    name: "dispatch_action_config",
    groups: &[&[optional(
        "trigger_actions_on",
        Kind::List { min: 1, max: 2, item: &Kind::OneOf(&["on_enter_pressed", "on_character_entered"]) },
    )]],
    also: nothing,
};

/// Which conversations a menu offers.
pub(super) static FILTER: Shape = Shape {
    name: "filter",
    groups: &[&[
        optional("include", Kind::List { min: 1, max: 4, item: &Kind::OneOf(&["im", "mpim", "private", "public"]) }),
        optional("exclude_external_shared_channels", Kind::Flag),
        optional("exclude_bot_users", Kind::Flag),
    ]],
    also: nothing,
};

/// An image that was uploaded to Slack.
pub(super) static SLACK_FILE: Shape = Shape {
    name: "slack_file",
    groups: &[&[optional("id", chars(255)), optional("url", chars(3000))]],
    also: super::rules::slack_file,
};

pub(super) const STYLE: Kind = Kind::OneOf(COLOURS);
