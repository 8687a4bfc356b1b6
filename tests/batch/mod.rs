//! Batches through their public door: defined answers to odd files, and properties against a slow reference.

#![expect(clippy::format_collect, reason = "clearer for a few rows")]

mod answers;
mod properties;
mod reference;
mod reprocess;
mod support;
