//! Batches through their public door: defined answers to odd files, and properties against a slow reference.
mod answers;
mod killed;
mod properties;
mod reference;
mod reprocess;
mod sales;
mod support;
