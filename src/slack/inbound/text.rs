//! Slack's escaping of typed text.

/// Undoes Slack's escaping of the three characters it escapes: `&amp;`, `&lt;`, `&gt;`. One pass, so `&amp;lt;` becomes `&lt;`.
pub fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let known = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')].into_iter().find(|(name, _)| rest.starts_with(name));
        let (taken, character) = known.map_or((1, '&'), |(name, character)| (name.len(), character));
        plain.push(character);
        rest = &rest[taken..];
    }
    plain.push_str(rest);
    plain
}
