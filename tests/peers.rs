//! Every row of the tables by which other tools know machines, replayed: `tests/peers.tsv` has a line for each, with the
//! evidence, what each tool answers on it, what is right, and why they differ. `UPDATE_GOLDEN=1 cargo test --test peers`
//! writes `docs/peers-rows.md`, the totals in `docs/peers.md` and the chart `docs/peers.svg` anew, and takes the mark from
//! each line of `todo` that has become right; it never sets one.

#[path = "peers/chart.rs"]
mod chart;
#[path = "common/evidence.rs"]
mod evidence;
#[path = "peers/marks.rs"]
mod marks;

use marks::{Mark, TOOLS};
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use xenprobe::render;

/// The columns of the table, in their order.
const COLUMNS: [&str; 15] = [
    "id",
    "peer",
    "place",
    "evidence",
    "systemd",
    "virt-what",
    "lscpu",
    "others",
    "kind",
    "class",
    "ours",
    "as-systemd",
    "as-virt-what",
    "why",
    "todo",
];

/// Whose tables there are, and where: the heading of each in `docs/peers-rows.md`.
const PEERS: &[(&str, &str)] = &[
    (
        "systemd",
        "systemd-detect-virt: src/basic/virt.c, confidential-virt.c",
    ),
    (
        "virt-what",
        "virt-what 1.27: virt-what.in, virt-what-cvm.c and its tests",
    ),
    ("lscpu", "lscpu: util-linux sys-utils/lscpu-virt.c"),
    ("ansible", "Ansible: module_utils/facts/virtual/linux.py"),
    ("cloud-init", "cloud-init: tools/ds-identify"),
    ("facter", "Facter: resolvers and detectors of `virtual`"),
    ("ohai", "Ohai: dmi_decode.rb, linux/virtualization.rb"),
    ("imvirt", "imvirt 0.9.6"),
    ("freebsd", "FreeBSD: sys/x86/x86/identcpu.c"),
    ("vmaware", "VMAware: src/vmaware.hpp, the signatures"),
    ("linux", "Linux: the hypervisors that its kernel knows"),
    ("reports", "machines of public reports"),
];

/// A line of the table.
#[derive(Clone)]
pub struct Row([String; COLUMNS.len()]);

impl Row {
    fn get(&self, column: &str) -> &str {
        let index = COLUMNS.iter().position(|name| *name == column);
        &self.0[index.expect(column)]
    }

    fn set(&mut self, column: &str, text: String) {
        let index = COLUMNS.iter().position(|name| *name == column);
        self.0[index.expect(column)] = text;
    }

    /// Whether it has evidence that a machine can be made from.
    fn is_replayed(&self) -> bool {
        self.get("kind") != "-"
    }

    /// What is right beside kind and class: fields of the verdict and their words.
    fn ours(&self) -> impl Iterator<Item = (&str, &str)> {
        let items = self.get("ours").split(' ').filter(|item| !item.is_empty());
        items.map(|item| item.split_once('=').expect(item))
    }

    fn our(&self, field: &str) -> Option<&str> {
        self.ours().find(|item| item.0 == field).map(|item| item.1)
    }

    /// What a tool answers on the evidence; empty where it says nothing.
    fn answer(&self, tool: &str) -> &str {
        match tool {
            "systemd" | "virt-what" | "lscpu" => self.get(tool),
            _ => {
                let mut others = self.get("others").split("; ");
                let answer = others.find_map(|item| item.strip_prefix(tool)?.strip_prefix('='));
                answer.unwrap_or_default()
            }
        }
    }

    /// How ours differs from what is right, a line each.
    fn differences(&self) -> Vec<String> {
        let report = evidence::report(self.get("evidence"));
        let verdict = serde_json::to_value(&report.verdict).unwrap();
        let mut found = Vec::new();
        let mut hold = |field: &str, is: String, right: &str| {
            if right != "*" && is != right {
                found.push(format!("{field} {is}, not {right}"));
            }
        };
        hold("kind", word(&verdict["kind"]), self.get("kind"));
        hold("class", word(&verdict["class"]), self.get("class"));
        let presents = self.our("presents").unwrap_or("");
        hold("presents", word(&verdict["presents"]), presents);
        for (field, right) in self.ours().filter(|item| item.0 != "presents") {
            let value = match field {
                "hypervisor" => &verdict[field]["name"],
                _ => &verdict[field],
            };
            hold(field, word(value), right);
        }
        let lines = |text: String| text.lines().collect::<Vec<&str>>().join(",");
        let systemd = lines(render::systemd::render(&report));
        hold("--format systemd", systemd, self.get("as-systemd"));
        let virt_what = lines(render::virt_what::render(&report));
        hold("--format virt-what", virt_what, self.get("as-virt-what"));
        found
    }
}

/// A field as the table writes it.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(word).collect::<Vec<String>>().join(","),
        _ => value.to_string(),
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn is_update() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(path("tests/peers.tsv")).unwrap();
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap().split('\t').collect();
    assert_eq!(columns, COLUMNS);
    let row = |line: &str| {
        let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
        Row(cells
            .try_into()
            .unwrap_or_else(|_| panic!("columns: {line}")))
    };
    lines.map(row).collect()
}

/// Holds a file to what it should be, or writes it.
fn hold_file(name: &str, wanted: &str) {
    let place = path(name);
    if is_update() {
        fs::write(&place, wanted).unwrap();
    }
    let is = fs::read_to_string(&place).unwrap_or_default();
    assert!(is == wanted, "{name} is not what tests/peers.tsv gives");
}

#[test]
fn every_row_has_what_it_needs() {
    let rows = rows();
    let mut ids: Vec<&str> = rows.iter().map(|row| row.get("id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rows.len(), "two rows have one id");
    for row in &rows {
        let id = row.get("id");
        assert!(PEERS.iter().any(|peer| peer.0 == row.get("peer")), "{id}");
        let differs = row.get("systemd") != row.get("as-systemd")
            || row.get("virt-what") != row.get("as-virt-what");
        let needs_why = differs || !row.is_replayed();
        assert!(!needs_why || !row.get("why").is_empty(), "{id}: no why");
    }
    for (peer, _) in PEERS {
        assert!(rows.iter().any(|row| row.get("peer") == *peer), "{peer}");
    }
}

#[test]
fn every_row_is_told_right() {
    let mut rows = rows();
    let mut failures = String::new();
    for row in rows.iter_mut().filter(|row| row.is_replayed()) {
        let differences = row.differences().join("; ");
        match (differences.is_empty(), row.get("todo").is_empty()) {
            (true, true) => {}
            (false, true) => {
                let _ = writeln!(failures, "{}: {differences}", row.get("id"));
            }
            (_, false) if is_update() => row.set("todo", differences),
            (true, false) => {
                let _ = writeln!(failures, "{}: right by now, no todo", row.get("id"));
            }
            (false, false) => {}
        }
    }
    if is_update() {
        let mut text = COLUMNS.join("\t") + "\n";
        for row in &rows {
            text += &(row.0.join("\t") + "\n");
        }
        fs::write(path("tests/peers.tsv"), text).unwrap();
    }
    assert!(failures.is_empty(), "\n{failures}");
    write_pages(&rows);
}

/// The pages that the table gives.
fn write_pages(rows: &[Row]) {
    hold_file("docs/peers-rows.md", &page(rows));
    let totals = marks::totals(rows);
    let peers = fs::read_to_string(path("docs/peers.md")).unwrap();
    let wanted = between(&peers, "rows", &totals_text(rows, &totals));
    hold_file("docs/peers.md", &wanted);
    hold_file("docs/peers.svg", &chart::draw(&totals, &wanted));
}

/// The page with what stands between `<!-- NAME -->` and `<!-- /NAME -->` replaced.
fn between(page: &str, name: &str, text: &str) -> String {
    let (first, last) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let (start, rest) = page.split_once(&first).expect(&first);
    let (_, end) = rest.split_once(&last).expect(&last);
    format!("{start}{first}{text}{last}{end}")
}

/// Both tables of totals.
fn totals_text(rows: &[Row], totals: &marks::Totals) -> String {
    let replayed = rows.iter().filter(|row| row.is_replayed());
    let count = replayed.clone().count();
    let mut text = String::from("|  | xenprobe |");
    for tool in TOOLS {
        let _ = write!(text, " {} |", tool.title);
    }
    text += &format!("\n|---|{}\n", "---|".repeat(TOOLS.len() + 1));
    for mark in Mark::ALL {
        let _ = write!(text, "| {} |", mark.title());
        for counts in std::iter::once(&totals.ours).chain(&totals.tools) {
            let _ = write!(text, " {} of {count} |", counts[mark as usize]);
        }
        text.push('\n');
    }
    text += "\n| table | rows | replayed | right by xenprobe | not yet |\n|---|---|---|---|---|\n";
    for (peer, title) in PEERS {
        let own = || rows.iter().filter(|row| row.get("peer") == *peer);
        let replayed = own().filter(|row| row.is_replayed()).count();
        let todo = own().filter(|row| !row.get("todo").is_empty()).count();
        let name = title.split(':').next().unwrap();
        let _ = writeln!(
            text,
            "| {name} | {} | {replayed} | {} | {todo} |",
            own().count(),
            replayed - todo
        );
    }
    text
}

/// A cell of Markdown.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn code(text: &str) -> String {
    match text {
        "" => "–".to_owned(),
        _ => format!("`{}`", cell(text)),
    }
}

fn page(rows: &[Row]) -> String {
    let mut page = HEAD.to_owned();
    for (peer, title) in PEERS {
        let own: Vec<&Row> = rows.iter().filter(|row| row.get("peer") == *peer).collect();
        let _ = write!(
            page,
            "\n## {title}\n\n| row | evidence | it says | ours | as systemd-detect-virt | as virt-what | why |\n|---|---|---|---|---|---|---|\n"
        );
        for row in own {
            let _ = writeln!(page, "{}", line(row));
        }
    }
    page
}

fn line(row: &Row) -> String {
    let place = format!("{} ({})", row.get("id"), row.get("place"));
    let evidence = code(row.get("evidence"));
    if !row.is_replayed() {
        return format!(
            "| {place} | {evidence} |  | none: {} |  |  |  |",
            cell(row.get("why"))
        );
    }
    let says = match row.get("peer") {
        // The last two have no word of their own: the kernel says its own name of it in its log.
        "imvirt" | "linux" | "reports" => String::new(),
        peer => code(row.answer(peer)),
    };
    let mut ours = format!("`{}`", row.get("kind"));
    if row.get("class") != "*" {
        ours += &format!(", class `{}`", row.get("class"));
    }
    for (field, words) in row.ours() {
        ours += &format!(", {field} `{words}`");
    }
    if !row.get("todo").is_empty() {
        ours += " (not yet)";
    }
    format!(
        "| {place} | {evidence} | {says} | {ours} | {} | {} | {} |",
        code(row.get("as-systemd")),
        code(row.get("as-virt-what")),
        cell(row.get("why"))
    )
}

const HEAD: &str = "\
# Rows of other tools' tables

Every row by which another tool knows a machine, with the evidence that it goes by and what xenprobe makes of the same
evidence; where it has no row of its own, why not. Each is replayed by the tests as a machine that has this evidence and
nothing else, a single string often enough, so many a verdict here is less sure than on a whole machine. \"It says\" is the
answer of the tool whose row it is; the two columns behind \"ours\" are what `--format systemd` and `--format virt-what`
print, and \"why\" says where these differ from those tools' own answers.

This page is written from `tests/peers.tsv` by `UPDATE_GOLDEN=1 cargo test --test peers`; the head of
`tests/common/evidence.rs` says how evidence is written, and [peers.md](peers.md) has the totals.
";
