//! How single things are written in Slack's mrkdwn: foreign text made harmless, numbers and times made readable.
//!
//! Slack reads `&`, `<` and `>` as markup: `<!channel>` calls everybody. Foreign text goes through [`escape`] or [`code`] before it
//! stands in a message, so that none of it is ever read as markup.

use jiff::Timestamp;

/// Cells of a progress bar.
const BAR: usize = 20;
const ELLIPSIS: char = '…';

/// Foreign text as it is, on one line: nothing in it is markup, a mention or a hidden turn of the reading direction.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in visible(text) {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Foreign text for a place where Slack reads no markup: as it is, on one line.
pub(super) fn literal(text: &str) -> String {
    literal_or(visible(text).collect())
}

fn literal_or(text: String) -> String {
    if text.trim().is_empty() { "(empty)".to_owned() } else { text }
}

/// The same over several lines.
pub(super) fn lines(text: &str) -> String {
    let all: Vec<String> = text.lines().map(|line| visible(line).collect()).collect();
    literal_or(all.join("\n"))
}

/// Foreign text in a code span. Backticks would end the span early and become apostrophes.
pub(super) fn code(text: &str) -> String {
    let text = text.replace('`', "'");
    let text = escape(&text);
    if text.trim().is_empty() { "`(empty)`".to_owned() } else { format!("`{text}`") }
}

/// Lines of foreign text in a code block.
pub(super) fn fence(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| escape(&line.replace('`', "'"))).collect();
    format!("```{}```", lines.join("\n"))
}

/// The first `max` characters at most, with an ellipsis where something is left out. For text that is not escaped yet.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain([ELLIPSIS]).collect()
}

/// Like [`cut`] for text that is escaped already: never ends inside `&amp;` or `<@U1>`, and closes an open code block or span.
pub(super) fn cut_markup(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    // Room for the ellipsis and for closing a code block.
    let mut kept: String = text.chars().take(max.saturating_sub(4)).collect();
    for (open, close) in [('&', ';'), ('<', '>')] {
        if let Some(start) = kept.rfind(open)
            && !kept[start..].contains(close)
        {
            kept.truncate(start);
        }
    }
    kept.push(ELLIPSIS);
    if kept.matches("```").count() % 2 == 1 {
        kept.push_str("```");
    } else if kept.replace("```", "").matches('`').count() % 2 == 1 {
        kept.push('`');
    }
    kept
}

/// Text with a full stop, unless it ends a sentence already.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?', ELLIPSIS]) { text.to_owned() } else { format!("{text}.") }
}

/// Text with a capital letter at its start.
pub(super) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// A number with its thousands apart: `100,000`.
pub(super) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut written = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// A number with its noun: `1 row`, `2 rows`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", number(count))
}

/// A share in percent, rounded to one decimal: `1.1 %`. Never rounds something to nothing or a part to all.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    let (part, whole) = (u128::from(part.min(whole)), u128::from(whole));
    let tenths = (part * 2000 + whole) / (whole * 2);
    match tenths {
        0 if part > 0 => "under 0.1 %".to_owned(),
        1000 if part < whole => "over 99.9 %".to_owned(),
        tenths if tenths % 10 == 0 => format!("{} %", tenths / 10),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

/// A size of a file: `12.3 MB`.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    match UNITS.into_iter().find(|(_, size)| count >= *size) {
        Some((unit, size)) => format!("{}.{} {unit}", number(count / size), count % size / (size / 10)),
        None => counted(count, "byte"),
    }
}

/// A length of time: `0.4 s`, `42 s`, `3 min 5 s`, `2 h 10 min`.
pub(super) fn duration(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..10 => format!("{seconds}.{} s", millis % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => parts((seconds / 60, "min"), (seconds % 60, "s")),
        _ => parts((seconds / 3600, "h"), (seconds % 3600 / 60, "min")),
    }
}

/// Two units; the smaller one only where there is something of it.
fn parts((large, large_unit): (u64, &str), (small, small_unit): (u64, &str)) -> String {
    match small {
        0 => format!("{large} {large_unit}"),
        small => format!("{large} {large_unit} {small} {small_unit}"),
    }
}

/// How long ago something was, in one unit: `just now`, `5 min ago`, `3 h ago`, `2 days ago`.
pub(super) fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0).unsigned_abs();
    match seconds {
        0..10 => "just now".to_owned(),
        10..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} ago", counted(seconds / 86_400, "day")),
    }
}

/// A moment, in UTC: for where Slack shows no markup. Seconds since 1970.
pub(super) fn utc(second: i64) -> String {
    Timestamp::from_second(second).unwrap_or_default().strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A moment in the reader's own time, as Slack's date markup. Seconds since 1970.
pub(super) fn moment(second: i64) -> String {
    format!("<!date^{second}^{{date_short_pretty}} {{time}}|{}>", utc(second))
}

/// A bar of text characters; the number always stands beside it.
pub(super) fn bar(percent: u8) -> String {
    let full = usize::from(percent.min(100)) * BAR / 100;
    format!("{}{}", "█".repeat(full), "░".repeat(BAR - full))
}

/// Without control characters and without marks that turn the reading direction (they can make a name read as another one).
fn visible(text: &str) -> impl Iterator<Item = char> {
    let hidden = |c: &char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    text.chars().filter(move |c| !hidden(c)).map(|c| if c.is_control() { ' ' } else { c })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn foreign_text_is_never_markup() {
        assert_eq!(escape("<!channel> & <@U1>"), "&lt;!channel&gt; &amp; &lt;@U1&gt;");
        assert_eq!(code("a`<!here>`\nb"), "`a'&lt;!here&gt;' b`");
        assert_eq!(code("  "), "`(empty)`");
        assert_eq!(fence("x```\n<y>"), "```x'''\n&lt;y&gt;```");
        assert_eq!(escape("invoice\u{202e}vsc.exe"), "invoicevsc.exe");
    }

    #[test]
    fn numbers_and_times_read_like_prose() {
        assert_eq!([number(0), number(999), number(1000), number(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "row"), counted(0, "row")], ["1 row", "0 rows"]);
        assert_eq!(
            [bytes(999), bytes(1), bytes(1500), bytes(12_340_000)],
            ["999 bytes", "1 byte", "1.5 kB", "12.3 MB"]
        );
        assert_eq!(
            [share(11, 1000), share(1, 1_000_000), share(0, 5), share(5, 5)],
            ["1.1 %", "under 0.1 %", "0 %", "100 %"]
        );
        assert_eq!([share(2, 31), share(9_999, 10_000)], ["6.5 %", "over 99.9 %"]);
        assert_eq!(
            [duration(0), duration(4250), duration(42_000), duration(185_000), duration(7_800_000)],
            ["0.0 s", "4.2 s", "42 s", "3 min 5 s", "2 h 10 min"]
        );
        assert_eq!([duration(900_000), duration(3_600_000)], ["15 min", "1 h"]);
        let at = |second| Timestamp::from_second(second).unwrap();
        let agos = [3, 30, 300, 7200, 200_000].map(|passed| ago(at(1_000_000), at(1_000_000 + passed)));
        assert_eq!(agos, ["just now", "30 s ago", "5 min ago", "2 h ago", "2 days ago"]);
        assert_eq!(ago(at(5), at(1)), "just now", "clocks differ");
    }

    #[test]
    fn errors_become_sentences() {
        assert_eq!([sentence("the disk is full"), sentence("why?"), sentence("")], ["the disk is full.", "why?", "."]);
        assert_eq!([capital("the disk"), capital("ärger"), capital("")], ["The disk", "Ärger", ""]);
    }

    #[test]
    fn a_bar_is_full_only_at_the_end() {
        assert_eq!(bar(0), "░".repeat(20));
        assert_eq!(bar(99), format!("{}░", "█".repeat(19)));
        assert_eq!(bar(100), "█".repeat(20));
    }

    #[test]
    fn a_cut_says_so_and_breaks_no_markup() {
        assert_eq!(cut("Zürich", 6), "Zürich");
        assert_eq!(cut("Zürich", 4), "Zür…");
        assert_eq!(cut_markup("ab &amp; cd", 8), "ab …");
        assert_eq!(cut_markup("hello <@U0OPERATOR> there", 14), "hello …");
        assert_eq!(cut_markup("a `bcdefghij` k", 10), "a `bcd…`");
        assert_eq!(cut_markup("```abcdefghijkl```", 12), "```abcde…```");
    }

    proptest! {
        #[test]
        fn cuts_keep_their_limit(text in ".{0,80}", max in 8_usize..60) {
            prop_assert!(cut(&text, max).chars().count() <= max);
            prop_assert!(cut_markup(&escape(&text), max).chars().count() <= max);
        }

        #[test]
        fn no_text_opens_markup(text in ".{0,80}") {
            let safe = [escape(&text), code(&text), fence(&text)];
            prop_assert!(safe.iter().all(|text| !text.contains(['<', '>'])));
            prop_assert_eq!(code(&text).matches('`').count(), 2);
            prop_assert_eq!(fence(&text).matches('`').count(), 6);
        }
    }
}
