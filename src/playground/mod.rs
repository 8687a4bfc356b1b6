//! The local Slack workspace: a page, and the part of the Web API that the bot uses.
