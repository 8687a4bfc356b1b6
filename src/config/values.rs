//! Small values with a form of their own: sizes, lengths of time, file patterns, web addresses.

use axum::http::Uri;
use jiff::SignedDuration;
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

/// A length of time from a text such as `90 s`, `15min`, `4h` or `2 d`: whole numbers, one unit.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: i64 = text[..digits].parse().ok()?;
    let seconds: i64 = match text[digits..].trim() {
        "s" => 1,
        "min" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    number.checked_mul(seconds).map(SignedDuration::from_secs)
}

/// What [`duration`] reads, in the largest unit that says it exactly.
pub(super) fn shown(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let fits = |(unit, _): &&(i64, &str)| seconds % unit == 0 && seconds >= *unit;
    let (unit, word) = [(86_400, "d"), (3_600, "h"), (60, "min")].iter().find(fits).copied().unwrap_or((1, "s"));
    format!("{}{word}", seconds / unit)
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
    fn lengths_of_time_have_one_unit_and_are_shown_as_they_are_read() {
        for (text, seconds, again) in [
            ("90 s", 90, "90s"),
            ("120s", 120, "2min"),
            ("15min", 900, "15min"),
            ("4h", 14_400, "4h"),
            ("2 d", 172_800, "2d"),
            ("0s", 0, "0s"),
        ] {
            assert_eq!(duration(text), Some(SignedDuration::from_secs(seconds)), "{text}");
            assert_eq!(shown(SignedDuration::from_secs(seconds)), again);
        }
        for bad in ["15", "15m", "1.5h", "-1h", "1h30min", "h", "", "99999999999999999 d"] {
            assert_eq!(duration(bad), None, "{bad}");
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
