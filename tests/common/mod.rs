//! Captured machines for the tests: `tests/machines/NAME.tar.xz` holds a capture, `NAME.json` what is true of it.

#![allow(dead_code)] // Every test program uses a part of this.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;
use xenprobe::machine::captured::Captured;
use xenprobe::report::Report;
use xenprobe::source::Options;

pub struct Machine {
    pub name: String,
    pub expected: Value,
    directory: TempDir,
}

impl Machine {
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    pub fn report(&self) -> Report {
        report(self.root())
    }

    /// The report with what tells how it boots.
    pub fn boot_report(&self) -> Report {
        Report::of(&Captured::open(self.root()).unwrap(), WITH_BOOT)
    }

    /// A path in the capture, given as on the live machine.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path.trim_start_matches('/'))
    }

    /// Takes a file or directory out of the capture, whether it is there or not.
    pub fn without(self, path: &str) -> Machine {
        let place = self.path(path);
        if place.is_dir() {
            fs::remove_dir_all(place).unwrap();
        } else if place.exists() {
            fs::remove_file(place).unwrap();
        }
        self
    }

    pub fn with(self, path: &str, content: impl AsRef<[u8]>) -> Machine {
        let place = self.path(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, content).unwrap();
        self
    }

    /// Replaces text in a file that must hold it.
    pub fn edited(self, path: &str, from: &str, to: &str) -> Machine {
        let text = fs::read_to_string(self.path(path)).unwrap();
        assert!(text.contains(from), "{path} does not hold {from}");
        self.with(path, text.replace(from, to))
    }
}

/// All that a report can have.
pub const EVERYTHING: Options = Options {
    inventory: true,
    ..WITH_BOOT
};

pub const WITH_BOOT: Options = Options {
    ports: false,
    boot: true,
    container: true,
    redact: false,
    inventory: false,
    without: &[],
    started: None,
};

/// A place that a capture can be written to.
pub fn nowhere() -> Machine {
    Machine {
        name: "nowhere".into(),
        expected: Value::Null,
        directory: TempDir::new().unwrap(),
    }
}

/// A machine with nothing in it.
pub fn empty() -> Machine {
    Machine {
        name: "empty".into(),
        expected: Value::Null,
        directory: TempDir::new().unwrap(),
    }
    .with("ports", "")
}

/// A directory of the library's tests, for those of another crate as well.
pub fn directory(name: &str) -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut places = crates.map(|root| root.join("tests").join(name));
    places.find(|place| place.is_dir()).unwrap()
}

pub fn machine(name: &str) -> Machine {
    let directory = directory("machines");
    let compressed = fs::read(directory.join(format!("{name}.tar.xz"))).unwrap();
    let mut archive = Vec::new();
    lzma_rs::xz_decompress(&mut &compressed[..], &mut archive).unwrap();
    let extracted = TempDir::new().unwrap();
    tar::Archive::new(&archive[..])
        .unpack(extracted.path())
        .unwrap();
    let expected = fs::read_to_string(directory.join(format!("{name}.json"))).unwrap();
    Machine {
        name: name.to_owned(),
        expected: serde_json::from_str(&expected).unwrap(),
        directory: extracted,
    }
}

/// Every machine that is kept, sorted by name.
pub fn all() -> Vec<Machine> {
    let directory = directory("machines");
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".tar.xz").map(str::to_owned)
        })
        .collect();
    names.sort();
    assert!(names.len() >= 8, "captured machines are missing");
    names.iter().map(|name| machine(name)).collect()
}

pub fn report(root: &Path) -> Report {
    Report::of(&Captured::open(root).unwrap(), Options::default())
}

/// What `docs/lspci.schema.json` has against a list in JSON.
pub fn breaks_of_list_schema(list: &Value) -> Vec<String> {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    let validator = SCHEMA.get_or_init(|| {
        let schema = include_str!("../../docs/lspci.schema.json");
        jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
    });
    let errors = validator.iter_errors(list);
    errors
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect()
}

/// The fields of a verdict that are true or false of a machine, as in its `.json`.
pub fn answer(report: &Report) -> Value {
    let verdict = serde_json::to_value(&report.verdict).unwrap();
    let mut answer = serde_json::Map::new();
    for field in ["kind", "class", "pv_drivers", "layers", "presents"] {
        answer.insert(field.into(), verdict[field].clone());
    }
    Value::Object(answer)
}
