//! The rules of the tree, as functions from (path, text) to what is broken. Nothing in here reads a file but [`source`], and no rule
//! knows an exception that is not written in its table.

pub(crate) mod arrows;
pub(crate) mod commands;
pub(crate) mod layout;
pub(crate) mod reach;
pub(crate) mod source;
pub(crate) mod tidy;
pub(crate) mod tokens;

/// A file: its path from the repository's root, and its text.
pub(crate) type File = (String, String);

/// Planted files for the rules' own tests.
pub(crate) fn planted(files: &[(&str, &str)]) -> Vec<File> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}
