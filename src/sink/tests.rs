use super::*;
use std::fs;

fn target(text: &str) -> Result<Target, String> {
    match Sink::parse(text) {
        Ok(sink) => Ok(sink.target),
        Err(why) => Err(why.to_string()),
    }
}

#[test]
fn each_kind_is_known_by_its_name() {
    let text = str::to_owned;
    for (spec, expected) in [
        ("-", Target::Stdout),
        ("stdout", Target::Stdout),
        ("file:/a:b", Target::File(text("/a:b"))),
        ("block:/dev/vda", Target::Block(text("/dev/vda"))),
        ("virtio:a", Target::Virtio(text("a"))),
        ("xenstore", Target::Xenstore(text(""))),
        (
            "xenstore:/run/socket",
            Target::Xenstore(text("/run/socket")),
        ),
        (
            "/proc/xen/xenbus",
            Target::Xenstore(text("/proc/xen/xenbus")),
        ),
        ("kmsg", Target::Kmsg),
        ("/dev/kmsg", Target::Kmsg),
        (
            "/dev/disk/by-path/pci-0000:00",
            Target::Path(text("/dev/disk/by-path/pci-0000:00")),
        ),
        ("./a:b", Target::Path(text("./a:b"))),
        ("report.json", Target::Path(text("report.json"))),
    ] {
        assert_eq!(target(spec), Ok(expected), "{spec}");
    }
}

#[test]
fn names_of_no_sink_are_told_when_they_are_read() {
    for (spec, why) in [
        ("", "a sink needs a name"),
        (
            "htpp://host/x",
            "htpp://host/x: there is no kind of sink called htpp",
        ),
        (
            "nosuch:/x",
            "nosuch:/x: there is no kind of sink called nosuch",
        ),
        (
            "blok:/dev/vda",
            "blok:/dev/vda: there is no kind of sink called blok; did you mean block?",
        ),
        ("file:", "file:: wants something behind the colon"),
        (
            "LABEL=x",
            "LABEL=x: wants a path behind it, as in LABEL=x:/report.json",
        ),
        ("UUID=:/x", "UUID=:/x: wants a label or UUID"),
        ("-,format=yaml", "no format is called 'yaml'"),
        ("-,format=jsn", "no format is called 'jsn'; did you mean json?"),
        ("-,format=", "no format is called ''"),
        (
            "x.json,formt=json",
            "x.json: ,formt=json is no option of a sink (\\, is a comma in a path); did you mean ,format=NAME?",
        ),
        (
            "x.json,size=4",
            "x.json: ,size=4 is no option of a sink (\\, is a comma in a path)",
        ),
        (
            "LABEL=x:/y,=",
            "LABEL=x:/y: ,= is no option of a sink (\\, is a comma in a path)",
        ),
        (
            "x.json,json",
            "x.json: ,json is no option of a sink (\\, is a comma in a path); did you mean ,format=json?",
        ),
        (
            "x.json,promethues",
            "x.json: ,promethues is no option of a sink (\\, is a comma in a path); did you mean ,format=prometheus?",
        ),
        (
            "x.json,format",
            "x.json: ,format is no option of a sink (\\, is a comma in a path); did you mean ,format=NAME?",
        ),
        (
            "x.json,formt=json,format=text",
            "x.json: ,formt=json is no option of a sink (\\, is a comma in a path); did you mean ,format=NAME?",
        ),
        (
            "x,format=json,format=text",
            "x,format=json,format=text: has two formats",
        ),
        (
            "LABEL={uid}:/x",
            "LABEL={uid}:/x: has a word in braces other than {uuid}, {mac} and {kind} ({{ is a brace); did you mean uuid?",
        ),
    ] {
        assert_eq!(target(spec), Err(why.to_owned()), "{spec}");
    }
}

#[test]
fn a_sink_may_have_a_format_of_its_own() {
    let sink = |text| Sink::parse(text).unwrap();
    assert_eq!(sink("/a,b").format.map(|format| format.name), None);
    let own = sink("/a,format=short");
    assert_eq!(own.format.map(|format| format.name), Some("short"));
    assert_eq!(own.to_string(), "/a");
    assert_eq!(own.target, Target::Path("/a".to_owned()));
    for (text, path) in [
        ("/a\\,json", "/a,json"),
        ("/a\\,b\\,formt=x,format=short", "/a,b,formt=x"),
        ("/a,x=1/b", "/a,x=1/b"),
        ("/a,", "/a,"),
    ] {
        let sink = sink(text);
        assert_eq!(sink.target, Target::Path(path.to_owned()), "{text}");
        assert_eq!(sink.to_string(), path);
    }
}

#[test]
fn name_of_a_file_tells_its_format() {
    for (text, name) in [
        ("x.json", Some("json")),
        ("file:/{uuid}.JSON", Some("json")),
        ("LABEL=a.json:/x.prom", Some("prometheus")),
        ("./x.txt", Some("text")),
        ("x.yaml", None),
        ("/json", None),
        ("block:/x.json", None),
        ("virtio:x.json", None),
    ] {
        let sink = Sink::parse(text).unwrap();
        assert_eq!(sink.format_by_name().map(|format| format.name), name);
    }
}

/// What the machine is called changes a sink's name and never its kind.
#[test]
fn names_of_the_machine_go_into_every_sink() {
    let names = ["kmsg", "52-54", "xen-pv"].map(str::to_owned);
    let text = str::to_owned;
    for (spec, shown, target) in [
        ("{uuid}", "kmsg", Target::Path(text("kmsg"))),
        ("{uuid}:/x", "kmsg:/x", Target::Path(text("kmsg:/x"))),
        (
            "file:/{mac}/{kind}",
            "file:/52-54/xen-pv",
            Target::File(text("/52-54/xen-pv")),
        ),
        (
            "block:/{mac}",
            "block:/52-54",
            Target::Block(text("/52-54")),
        ),
        (
            "virtio:{mac}",
            "virtio:52-54",
            Target::Virtio(text("52-54")),
        ),
        (
            "xenstore:/{mac}",
            "xenstore:/52-54",
            Target::Xenstore(text("/52-54")),
        ),
        (
            "LABEL={kind}:/{{{uuid}",
            "LABEL=xen-pv:/{kmsg",
            Target::FileSystem(Tag::Label(text("xen-pv")), text("{kmsg")),
        ),
        ("-", "-", Target::Stdout),
    ] {
        let sink = Sink::parse(spec).unwrap().on(&names);
        assert_eq!((sink.to_string(), sink.target), (text(shown), target));
    }
}

#[test]
fn device_that_is_not_there_does_not_become_a_file() {
    assert_eq!(
        deliver("/dev/ttyS999", b"x"),
        Err(Error::new("/dev/ttyS999", "there is no such device"))
    );
    assert!(fs::metadata("/dev/ttyS999").is_err());
}

#[test]
fn full_device_is_named() {
    assert_eq!(
        deliver("/dev/full", b"x"),
        Err(Error::new("/dev/full", "No space left on device"))
    );
    assert_eq!(deliver("/dev/null", b"four"), Ok(()));
}
