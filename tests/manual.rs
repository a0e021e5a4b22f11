//! The manual and the completions for bash, zsh and fish, made of the tables of options, subcommands, formats and
//! parameters. They are kept in `docs/`; `UPDATE_GOLDEN=1 cargo test --test manual` writes them anew.

#[path = "manual/mod.rs"]
mod manual;

use manual::{bash, fish, kept, roff, zsh};

#[test]
fn manual_and_completions_are_made_of_the_tables() {
    kept::compare(
        &[
            ("xenprobe.1", roff::page()),
            ("completions/xenprobe.bash", bash::script()),
            ("completions/_xenprobe", zsh::script()),
            ("completions/xenprobe.fish", fish::script()),
        ]
        .map(|(name, text)| (name.to_owned(), text)),
    );
}

#[test]
fn shells_read_the_completions() {
    kept::shells_read("xenprobe");
    kept::bash_offers(
        "xenprobe",
        &[
            ("--sh", "--short"),
            ("lsp", "lspci"),
            ("--format ironi", "ironic"),
            ("lspci -A sys", "sysfs"),
            ("--root /tmp lspci --js", "--json"),
            ("--is xen-pvh-d", "xen-pvh-dom0"),
            ("-o xenst", "xenstore"),
            ("lspci --sho", ""),
            ("--report Cargo.tom", "Cargo.toml"),
            ("--report a.json Cargo.tom", "Cargo.toml"),
            ("--report a.json --form", "--format"),
            ("convert --sysr", "--sysroot"),
            ("convert --mode pvh", "pvh"),
            ("convert Cargo.tom", "Cargo.toml"),
            ("Cargo.tom", ""),
        ],
    );
}
