//! Prometheus' metrics of several reports in one file: each metric's head once and all of its samples below it, as the
//! text format wants them ("All lines for a given metric must be provided as one single group"), every sample with a
//! label that says which report it is of.

use std::fmt::Write;
use xenprobe::render::prometheus;
use xenprobe::report::Report;

/// The label's name.
const LABEL: &str = "report";

/// One metric.
struct Metric {
    name: String,
    head: String,
    samples: String,
}

/// The metrics of these reports, by their labels.
pub fn prometheus<'a>(reports: impl IntoIterator<Item = (&'a str, &'a Report)>) -> String {
    let mut metrics: Vec<Metric> = Vec::new();
    for (label, report) in reports {
        let label = format!("{LABEL}=\"{}\"", prometheus::escape(label));
        // A line feed in a value is escaped, so that every line is one of a head or one sample.
        for line in prometheus::render(report).lines() {
            let is_head = line.starts_with('#');
            // `# HELP name ...`, `name{labels} value`, `name value`
            let start = if is_head {
                line.splitn(3, ' ').nth(2)
            } else {
                Some(line)
            };
            let start = start.unwrap_or_default();
            let end = start.find([' ', '{']).unwrap_or(start.len());
            let (name, rest) = start.split_at(end);
            let metric = metric(&mut metrics, name);
            if is_head {
                if !metric.head.contains(line) {
                    metric.head.push_str(line);
                    metric.head.push('\n');
                }
                continue;
            }
            let _ = match rest.strip_prefix('{') {
                Some(labels) => writeln!(metric.samples, "{name}{{{label},{labels}"),
                None => writeln!(metric.samples, "{name}{{{label}}}{rest}"),
            };
        }
    }
    let parts = metrics
        .iter()
        .flat_map(|metric| [&metric.head[..], &metric.samples]);
    parts.collect()
}

/// The metric of that name, at the end if it is new.
fn metric<'a>(metrics: &'a mut Vec<Metric>, name: &str) -> &'a mut Metric {
    let at = metrics.iter().position(|metric| metric.name == name);
    let at = at.unwrap_or_else(|| {
        metrics.push(Metric {
            name: name.to_owned(),
            head: String::new(),
            samples: String::new(),
        });
        metrics.len() - 1
    });
    &mut metrics[at]
}
