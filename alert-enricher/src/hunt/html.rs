//! What a hunt found, as one page that needs nothing else: no script, no font, no picture from anywhere.

use std::fmt::Write as _;

use stix_model::Timestamp;

use super::Report;

const STYLE: &str = "
:root{color-scheme:light dark;--line:#8884;--mute:#888;--low:#4a7fb5;--mid:#c98a1b;--high:#c8402f}
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem}
h1{font-size:1.4rem;margin:0}p.sum{color:var(--mute);margin:.2rem 0 1.4rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
th{font-size:.75rem;text-transform:uppercase;letter-spacing:.04em;color:var(--mute)}
td.v{font-family:ui-monospace,monospace;word-break:break-all;min-width:20rem}td.n{text-align:right;font-variant-numeric:tabular-nums}
small{color:var(--mute);display:block;word-break:break-word}
.lv{display:inline-block;min-width:1.6em;text-align:center;border-radius:.3em;color:#fff;background:var(--low)}
.lv.mid{background:var(--mid)}.lv.high{background:var(--high)}
svg{width:100%;height:auto;margin-bottom:1.4rem}svg text{font:11px system-ui,sans-serif;fill:currentColor}
.empty{padding:2rem;border:1px dashed var(--line);text-align:center}
";

/// The report as a page. `made` is shown as the time of the report.
pub fn html(report: &Report, indicators: usize, made: Timestamp) -> String {
    let counters = report.counters;
    let mut out = String::with_capacity(8_192 + report.rows.len() * 512);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><title>Hunt report</title><style>{STYLE}</style></head><body>\n\
         <h1>Hunt report</h1><p class=\"sum\">{} of {indicators} indicators seen on {} agents, in {} of {} alerts. \
         Made {}.</p>\n",
        report.indicators(),
        report.agents(),
        counters.hits,
        counters.alerts,
        time(Some(made)),
    );
    if report.rows.is_empty() {
        out.push_str("<p class=\"empty\">No indicator was seen.</p>");
    } else {
        time_line(&mut out, report);
        rows(&mut out, report);
    }
    out.push_str("</body></html>\n");
    out
}

fn rows(out: &mut String, report: &Report) {
    out.push_str(
        "<table><thead><tr><th>Level</th><th>Indicator</th><th>Agent</th><th>Rule</th><th>First seen</th>\
         <th>Last seen</th><th>Count</th></tr></thead><tbody>\n",
    );
    for row in &report.rows {
        let level = row.rule_level.unwrap_or_default();
        let _ = writeln!(
            out,
            "<tr><td><span class=\"lv {}\">{level}</span></td><td class=\"v\">{}<small>{}{}</small></td>\
             <td>{}<small>{}</small></td><td>{}<small>{}</small></td><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>",
            severity(level),
            escape(&row.value),
            row.kind_name(),
            row.name.as_deref().map(|name| format!(" · {}", escape(name))).unwrap_or_default(),
            escape(&row.agent_name),
            escape(&row.agent_id),
            escape(&row.rule_description),
            escape(&format!("{} · {}", row.rule_id, row.fields.join(", "))),
            time(row.first_seen),
            time(row.last_seen),
            row.count,
        );
    }
    out.push_str("</tbody></table>\n");
}

/// One line per agent, one bar per indicator from the first to the last alert.
fn time_line(out: &mut String, report: &Report) {
    const WIDTH: f64 = 1_000.0;
    const LEFT: f64 = 160.0;
    const LINE: f64 = 22.0;
    let millis = |time: Option<Timestamp>| time.map(|time| time.unix_millis());
    let starts = report.rows.iter().filter_map(|row| millis(row.first_seen));
    let ends = report.rows.iter().filter_map(|row| millis(row.last_seen));
    let (Some(start), Some(end)) = (starts.min(), ends.max()) else { return };
    let mut agents: Vec<&str> = report.rows.iter().map(|row| row.agent_name.as_str()).collect();
    agents.sort_unstable();
    agents.dedup();
    #[expect(clippy::cast_precision_loss, reason = "places on a picture")]
    let place = |time: i64| LEFT + (WIDTH - LEFT - 10.0) * ((time - start) as f64 / ((end - start).max(1)) as f64);
    #[expect(clippy::cast_precision_loss, reason = "places on a picture")]
    let height = LINE * (agents.len() as f64 + 1.0) + 8.0;
    let _ = write!(out, "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Time line\">");
    for (number, agent) in agents.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "places on a picture")]
        let top = LINE * number as f64;
        let _ = write!(
            out,
            "<text x=\"0\" y=\"{}\">{}</text><line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{2}\" y2=\"{2}\" stroke=\"var(--line)\"/>",
            top + 15.0,
            escape(&agent.chars().take(22).collect::<String>()),
            top + 11.0,
        );
        // The most severe rows come first in the report and are drawn last, above the others.
        for row in report.rows.iter().rev().filter(|row| row.agent_name == *agent) {
            let (Some(first), Some(last)) = (millis(row.first_seen), millis(row.last_seen)) else { continue };
            let (left, right) = (place(first), place(last));
            let _ = write!(
                out,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"12\" rx=\"3\" fill=\"var(--{})\" opacity=\".75\">\
                 <title>{} · {} × · {} – {}</title></rect>",
                left - 2.0,
                top + 5.0,
                (right - left).max(4.0),
                match severity(row.rule_level.unwrap_or_default()) {
                    "" => "low",
                    other => other,
                },
                escape(&row.value),
                row.count,
                time(row.first_seen),
                time(row.last_seen),
            );
        }
    }
    let bottom = height - 8.0;
    let _ = writeln!(
        out,
        "<text x=\"{LEFT}\" y=\"{bottom}\">{}</text><text x=\"{WIDTH}\" y=\"{bottom}\" text-anchor=\"end\">{}</text></svg>",
        time(Timestamp::from_unix_millis(start)),
        time(Timestamp::from_unix_millis(end)),
    );
}

fn severity(level: u8) -> &'static str {
    match level {
        12.. => "high",
        7..=11 => "mid",
        _ => "",
    }
}

fn time(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "–".to_owned(), |time| time.to_string().chars().take(19).collect::<String>().replace('T', " "))
}

/// Alert text is written by attackers.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ if char.is_control() => out.push('\u{fffd}'),
            _ => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_alerts_is_text() {
        assert_eq!(escape("<script>'\"&\u{0}"), "&lt;script&gt;&#39;&quot;&amp;\u{fffd}");
    }

    #[test]
    fn an_empty_report_says_so() {
        let page = html(&Report::default(), 3, Timestamp::UNIX_EPOCH);
        assert!(page.contains("0 of 3 indicators") && page.contains("No indicator was seen."));
    }
}
