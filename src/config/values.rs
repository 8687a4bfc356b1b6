//! Small values with a form of their own: sizes, file patterns, web addresses.

use axum::http::Uri;
use std::net::IpAddr;

/// Bytes from a text such as `4 MiB`, `512 KiB` or `65536`.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let unit: u64 = match text[digits..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// Which file names a job takes: `*` stands for any characters, `?` for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern for names: no folders.
    pub fn parse(text: &str) -> Option<Self> {
        let name = !text.trim().is_empty() && !text.contains(['/', '\\']) && !text.contains(char::is_control);
        name.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a file of this name is taken. Upper and lower case are different.
    pub fn matches(&self, name: &str) -> bool {
        let pattern: Vec<char> = self.0.chars().collect();
        let name: Vec<char> = name.chars().collect();
        let (mut p, mut n) = (0, 0);
        // Where to go on after a star that took too little: behind the star, and one character further.
        let mut star: Option<(usize, usize)> = None;
        while n < name.len() {
            match pattern.get(p) {
                Some('*') => {
                    star = Some((p + 1, n));
                    p += 1;
                }
                Some(c) if *c == '?' || *c == name[n] => {
                    p += 1;
                    n += 1;
                }
                _ => match star {
                    Some((after, taken)) => {
                        star = Some((after, taken + 1));
                        (p, n) = (after, taken + 1);
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|c| *c == '*')
    }
}

/// A web address without a trailing slash, or why it is none: `https`, or `http` where `plain` permits its host.
pub(super) fn address(text: &str, plain: fn(&str) -> bool) -> Result<String, &'static str> {
    let text = text.trim().trim_end_matches('/');
    let uri: Uri = text.parse().map_err(|_| "is not a web address")?;
    let host = uri.host().filter(|h| !h.is_empty()).ok_or("has no host")?;
    if uri.authority().is_some_and(|a| a.as_str().contains('@')) {
        return Err("carries a user name or password");
    }
    if text.contains(['?', '#']) {
        return Err("carries a query");
    }
    match uri.scheme_str() {
        Some("https") => Ok(text.to_owned()),
        Some("http") if plain(host) => Ok(text.to_owned()),
        Some("http") => Err("is not https, and its host is not this machine"),
        _ => Err("does not start with https://"),
    }
}

/// Whether a host is this very machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        for (text, expected) in [
            ("4 MiB", Some(4 << 20)),
            ("512KiB", Some(512 << 10)),
            ("65536", Some(65536)),
            ("1 GiB", Some(1 << 30)),
            ("4 MB", None),
            ("", None),
            ("-1", None),
            ("99999999999999 GiB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("*.csv", "sales.csv", true),
            ("*.csv", "sales.csv.part", false),
            ("*.csv", ".csv", true),
            ("sales-??.csv", "sales-07.csv", true),
            ("sales-??.csv", "sales-7.csv", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*ab", "aab", true),
            ("*", "", true),
            ("März*", "März 1.csv", true),
            ("*.csv", "SALES.CSV", false),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(name), expected, "{pattern} {name}");
        }
        assert!(Pattern::parse("in/*.csv").is_none());
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        let check = |text| address(text, is_loopback);
        assert_eq!(check("https://slack.com/api/"), Ok("https://slack.com/api".to_owned()));
        assert_eq!(check("http://127.0.0.1:3999/api"), Ok("http://127.0.0.1:3999/api".to_owned()));
        assert_eq!(check("http://[::1]:3999/api"), Ok("http://[::1]:3999/api".to_owned()));
        for bad in [
            "http://slack.com/api",
            "http://127.0.0.1.example.com/api",
            "https://a:b@slack.com/api",
            "slack.com",
            "",
            "https://x/?a=b",
            "ftp://x",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
