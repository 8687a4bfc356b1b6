//! What lies at the top of the repository, and what the test command says that it does.

/// Folders and files of the design; names that begin with a dot are for tools, and two folders are only ever output.
const LISTED: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "LICENSE",
    "src/",
    "blocks/",
    "infra/",
    "tests/",
    "benches/",
    "target/",
    "var/",
];

/// Every name that the design does not list.
pub(crate) fn check(names: &[String]) -> Vec<String> {
    names
        .iter()
        .filter(|name| !name.starts_with('.') && !LISTED.contains(&name.as_str()))
        .map(|name| format!("{name}: not at the top level; the design lists what is"))
        .collect()
}

/// The steps that the test command names beside cargo's own: the second word of its lines `step NAME …`.
pub(crate) fn steps(script: &str) -> Vec<&str> {
    let names = script.lines().filter_map(|line| line.trim_start().strip_prefix("step ")?.split_whitespace().next());
    names.filter(|name| !name.starts_with("rust")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_design_does_not_list_is_seen() {
        let names = ["src/", "docs/", ".github/", "notes.md", "Cargo.toml"].map(str::to_owned);
        let broken = check(&names);
        assert!(broken.len() == 2 && broken[0].starts_with("docs/") && broken[1].starts_with("notes.md"), "{broken:?}");
    }

    #[test]
    fn steps_are_found_by_name() {
        assert_eq!(
            steps("step rust cargo test\n  step browser x\n# step nothing\nstep manifest y z\n"),
            ["browser", "manifest"]
        );
    }
}
