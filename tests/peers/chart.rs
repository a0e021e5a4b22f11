//! The chart of `docs/peers.md`: how right each tool is, on the rows of all tables and on the lab's machines, and how long it
//! takes. One picture for light and dark pages. The lab's numbers are read from the page.

use crate::marks::{Counts, Totals, TOOLS};
use std::fmt::Write;

const LEFT: usize = 150;
const WIDTH: usize = 500;
const ROW: usize = 24;
const BAR: usize = 16;
const CLASSES: [&str; 4] = ["right", "partly", "noclaim", "wrong"];
const LEGEND: [&str; 4] = ["right", "partly", "no claim", "wrong"];

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1f2328}\
.head{font-weight:600}.in{fill:#fff;font-size:11px;text-anchor:middle}.name{text-anchor:end}\
.right{fill:#1a7f37}.partly{fill:#9a6700}.noclaim{fill:#8c959f}.wrong{fill:#cf222e}.time{fill:#0969da}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.in{fill:#0d1117}\
.right{fill:#3fb950}.partly{fill:#d29922}.noclaim{fill:#7d8590}.wrong{fill:#f85149}.time{fill:#58a6ff}}";

/// The picture from the totals of the rows and the lab's page.
pub fn draw(totals: &Totals, page: &str) -> String {
    let mut chart = Chart::default();
    chart.legend();
    let replayed: usize = totals.ours.iter().sum();
    chart.head(&format!(
        "On {replayed} rows of other tools' tables, each replayed"
    ));
    chart.counts("xenprobe", &totals.ours);
    for (tool, counts) in TOOLS.iter().zip(&totals.tools) {
        chart.counts(tool.title, counts);
    }
    let (names, lab) = lab(page);
    let machines: usize = lab[0].iter().sum();
    chart.head(&format!("On {machines} machines booted in the lab"));
    for (name, counts) in names.iter().zip(&lab) {
        chart.counts(name, counts);
    }
    chart.head("Time there, as a multiple of xenprobe's (median, logarithmic)");
    chart.time("xenprobe", 1.0);
    for (name, times) in names[1..].iter().zip(medians(page)) {
        chart.time(name, times);
    }
    chart.end()
}

#[derive(Default)]
struct Chart {
    body: String,
    y: usize,
}

impl Chart {
    fn legend(&mut self) {
        let mut x = LEFT;
        for (class, text) in CLASSES.iter().zip(LEGEND) {
            let _ = writeln!(
                self.body,
                "<rect class=\"{class}\" x=\"{x}\" y=\"8\" width=\"12\" height=\"12\"/><text x=\"{}\" y=\"19\">{text}</text>",
                x + 17
            );
            x += 100;
        }
        self.y = 24;
    }

    fn head(&mut self, text: &str) {
        self.y += 32;
        let _ = writeln!(
            self.body,
            "<text class=\"head\" x=\"10\" y=\"{}\">{text}</text>",
            self.y
        );
        self.y += 10;
    }

    fn name(&mut self, name: &str) {
        let _ = writeln!(
            self.body,
            "<text class=\"name\" x=\"{}\" y=\"{}\">{name}</text>",
            LEFT - 8,
            self.y + 13
        );
    }

    fn bar(&mut self, class: &str, x: usize, width: usize, text: &str) {
        let y = self.y;
        let _ = writeln!(
            self.body,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\"/>"
        );
        if width > 7 * text.len() + 6 {
            let middle = x + width / 2;
            let _ = writeln!(
                self.body,
                "<text class=\"in\" x=\"{middle}\" y=\"{}\">{text}</text>",
                y + 12
            );
        }
    }

    fn counts(&mut self, name: &str, counts: &Counts) {
        self.name(name);
        let all: usize = counts.iter().sum();
        let mut before = 0;
        for (class, count) in CLASSES.iter().zip(counts) {
            let at = |count: usize| LEFT + count * WIDTH / all;
            let (start, end) = (at(before), at(before + count));
            if end > start {
                self.bar(class, start, end - start, &count.to_string());
            }
            before += count;
        }
        self.y += ROW;
    }

    /// The bar of 1 has a width as well: it begins at a half.
    fn time(&mut self, name: &str, times: f64) {
        self.name(name);
        let width = ((times / 0.5).ln() / 400f64.ln() * WIDTH as f64) as usize;
        self.bar("time", LEFT, width, &format!("{times}×"));
        self.y += ROW;
    }

    fn end(self) -> String {
        let (width, height) = (LEFT + WIDTH + 20, self.y + 6);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
             <title>How right and how fast xenprobe and other tools are</title>\n<style>{STYLE}</style>\n{}</svg>\n",
            self.body
        )
    }
}

/// The cells of the first line that begins so, and the lines behind it.
fn cells<'a>(page: &'a str, start: &str) -> Vec<&'a str> {
    let mut lines = page.lines();
    let line = lines.find(|line| line.starts_with(start)).expect(start);
    line.trim_matches('|')
        .split('|')
        .skip(1)
        .map(str::trim)
        .collect()
}

/// The tools of the lab's table of totals, and their counts.
fn lab(page: &str) -> (Vec<&str>, Vec<Counts>) {
    let names = cells(page, "|  | xenprobe |");
    let mut counts = vec![Counts::default(); names.len()];
    for (index, start) in [
        "| ✓ right |",
        "| ~ partly |",
        "| – no claim |",
        "| ✗ wrong |",
    ]
    .iter()
    .enumerate()
    {
        for (tool, cell) in counts.iter_mut().zip(cells(page, start)) {
            tool[index] = cell.split(' ').next().unwrap().parse().expect(cell);
        }
    }
    (names, counts)
}

/// The medians of the tools' times, as multiples.
fn medians(page: &str) -> Vec<f64> {
    let cells = cells(page, "| **median** |");
    let times = cells.iter().filter_map(|cell| cell.strip_suffix('×'));
    times.map(|times| times.parse().expect(times)).collect()
}
