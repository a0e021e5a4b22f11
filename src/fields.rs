//! The fields of a report by their paths, and what each means: `docs/report.schema.json`, from which `build.rs` makes a
//! table. An assertion on a field that is not there is a typing error, on whatever machine it is made.

use crate::format::gzip;
use crate::nearest::nearest;

/// A line a field: its path, a tab, and what it means, at the end the words that it can be. Lists have `N` for an index.
/// Compressed.
const TABLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/fields.gz"));

const LIMIT: usize = 1 << 20;

/// What a path may lack at its front. A whole path comes first.
const ROOTS: [&str; 3] = ["", "verdict.", "facts."];

/// All fields that a report can have.
pub struct Fields {
    text: String,
}

impl Fields {
    /// Reads the table.
    pub fn load() -> Fields {
        let bytes = gzip::decompress(TABLE, LIMIT).unwrap_or_default();
        Fields {
            text: String::from_utf8(bytes).unwrap_or_default(),
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text.lines().filter_map(|line| line.split_once('\t'))
    }

    /// The whole path of a field, and what it means; `None` if no report has it.
    pub fn resolve(&self, field: &str) -> Option<(String, &str)> {
        let names = field.split('.').map(|name| match name.parse::<usize>() {
            Ok(_) => "N",
            Err(_) => name,
        });
        let general = names.collect::<Vec<_>>().join(".");
        ROOTS.iter().find_map(|root| {
            let mut rows = self.rows();
            let row = rows.find(|(path, _)| {
                let path = path.strip_prefix(*root);
                path.is_some_and(|path| path == general || is_below_any(path, &general))
            })?;
            Some(([root, field].concat(), row.1))
        })
    }

    /// The field that was probably meant, as it is best written.
    pub fn nearest(&self, field: &str) -> Option<&str> {
        nearest(field, self.rows().map(|row| short(row.0)))
    }

    /// A line a field, as an assertion names it, and behind it what it means.
    pub fn list(&self) -> String {
        // An item of a list has its fields, or is compared together with the others.
        let rows = || self.rows().filter(|row| !row.0.ends_with(".N"));
        let width = rows().map(|row| self.name(row.0).len()).max();
        let mut text = String::new();
        for (path, meaning) in rows() {
            let name = self.name(path);
            text.push_str(name);
            for _ in name.len()..width.unwrap_or(0) + 2 {
                text.push(' ');
            }
            text.push_str(meaning);
            text.push('\n');
        }
        text
    }

    /// The shortest way to write a path, which must not mean another field.
    fn name<'a>(&self, path: &'a str) -> &'a str {
        match self.resolve(short(path)) {
            Some((found, _)) if found == path => short(path),
            _ => path,
        }
    }
}

/// The path without the part of the report that it is in.
fn short(path: &str) -> &str {
    let mut roots = ROOTS.iter().rev();
    roots
        .find_map(|root| path.strip_prefix(root))
        .unwrap_or(path)
}

/// The words that a field of that meaning can be, a comma and a blank between them; nothing where it may be anything.
pub fn words(meaning: &str) -> &str {
    meaning.split_once("One of: ").map_or("", |parts| parts.1)
}

/// Whether the path stands for fields of any name, of which this is one.
fn is_below_any(path: &str, field: &str) -> bool {
    let start = path.strip_suffix('*');
    let rest = start.and_then(|start| field.strip_prefix(start));
    rest.is_some_and(|name| !name.is_empty() && !name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_with_and_without_the_part_they_are_in() {
        let fields = Fields::load();
        for (field, path) in [
            ("kind", Some("verdict.kind")),
            ("verdict.kind", Some("verdict.kind")),
            ("smbios.system_vendor", Some("facts.smbios.system_vendor")),
            (
                "pci.functions.12.vendor",
                Some("facts.pci.functions.12.vendor"),
            ),
            ("boot.cmos", Some("facts.boot.cmos")),
            (
                "boot.possible.disk.answer",
                Some("boot.possible.disk.answer"),
            ),
            ("boot", Some("boot")),
            ("schema", Some("schema")),
            ("layers.0", Some("verdict.layers.0")),
            ("knid", None),
            ("kind.x", None),
            ("pci.functions.vendor", None),
            ("", None),
            (".", None),
        ] {
            let found = fields.resolve(field).map(|found| found.0);
            assert_eq!(found.as_deref(), path, "{field}");
        }
        assert_eq!(fields.nearest("clas"), Some("class"));
        assert_eq!(
            fields.nearest("smbios.sytem_vendor"),
            Some("smbios.system_vendor")
        );
    }

    #[test]
    fn list_names_each_field_once_and_says_what_it_means() {
        let fields = Fields::load();
        let list = fields.list();
        let names: Vec<&str> = list
            .lines()
            .filter_map(|line| line.split(' ').next())
            .collect();
        let rows: Vec<_> = fields.rows().filter(|row| !row.0.ends_with(".N")).collect();
        assert_eq!(names.len(), rows.len());
        for (name, row) in names.iter().zip(rows) {
            assert_eq!(fields.resolve(name), Some((row.0.to_owned(), row.1)));
            assert!(!row.1.is_empty(), "{name} has no description in the schema");
        }
    }
}
