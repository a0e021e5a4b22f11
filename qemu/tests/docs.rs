//! Lines of consoles in the documentation, below `<!-- lines of MACHINE: PATTERN -->`, are those that the machine's
//! definition expects, so that a boot shows whether they are still printed. `scripts/doc-consoles` writes them anew.

#[allow(dead_code)]
#[path = "../../tests/common/pages.rs"]
mod pages;

use pages::{marked, pages};
use std::fs;
use std::path::Path;
use toml::{Table, Value};

/// The definition of a machine, which is a host's guest where its name begins with one of theirs.
fn definition(name: &str) -> Table {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let hosts = fs::read_dir(root.join("hosts")).unwrap();
    let hosts = hosts.map(|entry| entry.unwrap().path());
    let mut hosts = hosts.filter_map(|host| {
        let host = host.file_stem()?.to_str()?.to_owned();
        name.strip_prefix(&host)?.strip_prefix('-')
    });
    let file = hosts.next().unwrap_or(name);
    let path = root.join("machines").join(format!("{file}.toml"));
    let text = fs::read_to_string(path).unwrap_or_else(|why| panic!("{name}: {why}"));
    text.parse().unwrap()
}

/// What the console is expected to say, and the fields of the verdict's line.
fn expected(expect: &Value) -> Vec<String> {
    let texts = expect.get("console").and_then(Value::as_array);
    let texts = texts.into_iter().flatten();
    let mut all: Vec<String> = texts
        .map(|text| text.as_str().unwrap().to_owned())
        .collect();
    let field = |name: &str| expect.get(name).and_then(Value::as_str);
    if let (Some(kind), Some(class)) = (field("kind"), field("class")) {
        all.push(format!("xenprobe: kind={kind} class={class} "));
    }
    all
}

#[test]
fn lines_of_consoles_are_those_that_the_lab_expects() {
    let mut count = 0;
    let mut others = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for (mark, block) in marked(&text, "lines of ") {
            let (machine, _) = mark.split_once(": ").unwrap();
            let (machine, file) = machine.split_once('/').unwrap_or((machine, ""));
            let definition = definition(machine);
            let expect = &definition["expect"];
            match file {
                "" => {
                    let expected = expected(expect);
                    let is_expected =
                        |line: &&String| expected.iter().any(|text| line.contains(text));
                    others.extend(
                        block
                            .lines
                            .iter()
                            .filter(|line| !is_expected(line))
                            .cloned(),
                    );
                }
                // The lab compares it with the verdict and the report.
                "xenstore.log" => assert_eq!(expect.get("xenstore"), Some(&Value::Boolean(true))),
                other => panic!("{machine}: {other}: what is expected of it?"),
            }
            count += 1;
        }
    }
    assert!(count > 0);
    assert_eq!(others, Vec::<String>::new());
}
