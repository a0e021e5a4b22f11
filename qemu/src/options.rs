//! The command line.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure, Result};
use lexopt::prelude::*;

/// What `--help` prints.
pub const HELP: &str = "\
Boots xenprobe on defined machines and compares its verdict with the one expected.

usage: lab list
       lab run [options] NAME...
       lab run [options] --all|--subset

  --all            every machine
  --subset         machines of every kind, in less than half of the time
  --skip NAME      leave this one out (may repeat)
  --jobs N         at most N machines side by side [one a core, two at most]
  --console        show the consoles, one machine after the other
  --capture DIR    capture every machine, replay it, and keep it here as NAME.tar.xz
  --peers          run the tools that others use as well, on all machines where none is named; the table of what
                   they said and how long they took goes to peers.md
  --lspci          compare the PCI list with what Debian's lspci prints in the same boot, and the list through ports
                   with the one through sysfs
  --out DIR        where results go, in a directory for each machine: console.log, report.json, command [target/lab]
  --image FILE     the initramfs to boot [target/xenprobe.cpio.gz]
  --machines DIR   the definitions [qemu/machines]
  --hosts DIR      what their guests run on [qemu/hosts]
  --images DIR     the scripts that make what is booted [qemu/images]
  --qemu PROGRAM   [qemu-system-x86_64, where its version runs Xen's guests; else Debian 12's out of the cache]
  -h, --help

Outcomes: pass, fail (a wrong verdict), skip, and error (the machine did not come up, also at a second try).
Results are a table, and beside the consoles results.tap (TAP 13) and results.xml (JUnit).
Exit status: 0 all passed, 1 not all passed, 2 a wrong command line or definition.
";

/// What the lab is called for.
pub enum Action {
    Help,
    List,
    Run(Which),
}

/// Which machines are run.
pub enum Which {
    All,
    Subset,
    Named(Vec<String>),
}

/// The command line, with its defaults.
pub struct Options {
    pub action: Action,
    pub skip: Vec<String>,
    pub jobs: usize,
    pub console: bool,
    pub capture: Option<PathBuf>,
    pub peers: bool,
    pub lspci: bool,
    pub out: PathBuf,
    pub image: PathBuf,
    pub machines: PathBuf,
    pub hosts: PathBuf,
    pub images: PathBuf,
    pub qemu: Option<PathBuf>,
}

impl Options {
    /// The defaults lie in the clone `root`, wherever it is called.
    pub fn read(root: &Path) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let mut options = Self {
            action: Action::Help,
            skip: Vec::new(),
            jobs: cores.min(2),
            console: false,
            capture: None,
            peers: false,
            lspci: false,
            out: root.join("target/lab"),
            image: root.join("target/xenprobe.cpio.gz"),
            machines: root.join("qemu/machines"),
            hosts: root.join("qemu/hosts"),
            images: root.join("qemu/images"),
            qemu: None,
        };
        let (mut words, mut which, mut help) = (Vec::new(), None, false);
        let mut parser = lexopt::Parser::from_env();
        let text = |why: lexopt::Error| anyhow::anyhow!("{why}; see lab --help");
        while let Some(arg) = parser.next().map_err(text)? {
            match arg {
                Short('h') | Long("help") => help = true,
                Long("all") => which = Some(Which::All),
                Long("subset") => which = Some(Which::Subset),
                Long("console") => options.console = true,
                Long("peers") => options.peers = true,
                Long("lspci") => options.lspci = true,
                Long("skip") => {
                    let name = parser.value().and_then(|value| value.string());
                    options.skip.push(name.map_err(text)?);
                }
                Long("jobs") => {
                    let value = parser.value().and_then(|value| value.parse());
                    options.jobs = value.map_err(text)?;
                }
                Long("capture") => options.capture = Some(parser.value().map_err(text)?.into()),
                Long("out") => options.out = parser.value().map_err(text)?.into(),
                Long("image") => options.image = parser.value().map_err(text)?.into(),
                Long("machines") => options.machines = parser.value().map_err(text)?.into(),
                Long("hosts") => options.hosts = parser.value().map_err(text)?.into(),
                Long("images") => options.images = parser.value().map_err(text)?.into(),
                Long("qemu") => options.qemu = Some(parser.value().map_err(text)?.into()),
                Value(word) => words.push(word.string().map_err(text)?),
                other => return Err(text(other.unexpected())),
            }
        }
        ensure!(options.jobs > 0, "--jobs: at least 1; see lab --help");
        if options.console {
            options.jobs = 1;
        }
        let mut words = words.into_iter();
        options.action = match words.next().as_deref() {
            _ if help => Action::Help,
            Some("list") => Action::List,
            Some("run") => {
                let names: Vec<String> = words.collect();
                match (which, names.is_empty()) {
                    (None, true) if options.peers => Action::Run(Which::All),
                    (Some(which), true) => Action::Run(which),
                    (None, false) => Action::Run(Which::Named(names)),
                    _ => bail!("run: name machines, or say --all; see lab --help"),
                }
            }
            Some(word) => bail!("{word}: no such command; see lab --help"),
            None => bail!("which command, list or run? see lab --help"),
        };
        // Hosts find what is here under other names.
        options.out = std::path::absolute(&options.out)?;
        Ok(options)
    }
}
