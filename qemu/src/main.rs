//! The lab: boots xenprobe on the machines defined in `qemu/machines` and compares its verdicts.

mod accel;
mod artifact;
mod judge;
mod lab;
mod machine;
mod outcome;
mod qemu;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use accel::Chooser;
use lab::Lab;
use lexopt::prelude::*;
use machine::Machine;
use outcome::{Outcome, Record};

const HELP: &str = "\
Boots xenprobe on defined machines and compares its verdict with the one expected.

usage: lab list
       lab run [options] NAME...
       lab run [options] --all

  --all            every machine
  --skip NAME      leave this one out (may repeat)
  --console        show the consoles while the machines run
  --out DIR        where results go, in a folder for each machine: console.log, report.json, command [target/lab]
  --image FILE     the initramfs to boot [target/xenprobe.cpio.gz]
  --machines DIR   the definitions [qemu/machines]
  --qemu PROGRAM   [qemu-system-x86_64]
  -h, --help

Outcomes: pass, fail (a wrong verdict), skip, and error (the machine did not come up, also at a second try).
Exit status: 0 all passed, 1 not all passed, 2 a wrong command line or definition.
";

enum Action {
    Help,
    List,
    Run { names: Vec<String>, all: bool },
}

struct Arguments {
    action: Action,
    skip: Vec<String>,
    machines: PathBuf,
    lab: Lab,
}

fn main() -> ExitCode {
    match arguments().and_then(execute) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("lab: {why}");
            ExitCode::from(2)
        }
    }
}

fn arguments() -> Result<Arguments, String> {
    // The defaults lie in the clone that this was built from, wherever it is called.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = here.parent().unwrap_or(here).join("target");
    let mut lab = Lab {
        qemu: "qemu-system-x86_64".into(),
        image: target.join("xenprobe.cpio.gz"),
        tools: here.to_owned(),
        out: target.join("lab"),
        show: false,
    };
    let mut machines = here.join("machines");
    let (mut words, mut skip, mut all, mut help) = (Vec::new(), Vec::new(), false, false);

    let mut parser = lexopt::Parser::from_env();
    let text = |why: lexopt::Error| format!("{why}; see lab --help");
    while let Some(arg) = parser.next().map_err(text)? {
        match arg {
            Short('h') | Long("help") => help = true,
            Long("all") => all = true,
            Long("console") => lab.show = true,
            Long("skip") => skip.push(parser.value().and_then(|v| v.string()).map_err(text)?),
            Long("out") => lab.out = parser.value().map_err(text)?.into(),
            Long("image") => lab.image = parser.value().map_err(text)?.into(),
            Long("machines") => machines = parser.value().map_err(text)?.into(),
            Long("qemu") => lab.qemu = parser.value().map_err(text)?.into(),
            Value(word) => words.push(word.string().map_err(text)?),
            other => return Err(text(other.unexpected())),
        }
    }
    let mut words = words.into_iter();
    let action = match words.next().as_deref() {
        _ if help => Action::Help,
        Some("list") => Action::List,
        Some("run") => Action::Run {
            names: words.collect(),
            all,
        },
        Some(word) => return Err(format!("{word}: no such command; see lab --help")),
        None => return Err("which command, list or run? see lab --help".to_owned()),
    };
    Ok(Arguments {
        action,
        skip,
        machines,
        lab,
    })
}

/// Whether all passed.
fn execute(arguments: Arguments) -> Result<bool, String> {
    let folder = &arguments.machines;
    match &arguments.action {
        Action::Help => print!("{HELP}"),
        Action::List => {
            for name in machine::names(folder)? {
                println!("{name:<12}  {}", Machine::read(folder, &name)?.summary);
            }
        }
        Action::Run { names, all } => {
            let names = match (all, names.is_empty()) {
                (true, true) => machine::names(folder)?,
                (false, false) => names.clone(),
                _ => return Err("run: name machines, or say --all; see lab --help".to_owned()),
            };
            return run(&arguments, &names);
        }
    }
    Ok(true)
}

fn run(arguments: &Arguments, names: &[String]) -> Result<bool, String> {
    let (lab, folder) = (&arguments.lab, &arguments.machines);
    // All definitions first: a typing error in the last one should not cost the time of the others.
    let machines: Vec<Machine> = names
        .iter()
        .map(|name| Machine::read(folder, name))
        .collect::<Result<_, _>>()?;
    if let Some(name) = arguments.skip.iter().find(|name| !names.contains(name)) {
        return Err(format!("--skip {name}: not among the machines to run"));
    }
    let version = qemu::version(&lab.qemu)?;
    if machines.iter().any(|machine| machine.boot.xen.is_some()) {
        if let Some(warning) = qemu::known_bad_for_xen(&version) {
            println!("{warning}");
        }
    }
    std::fs::create_dir_all(&lab.out).map_err(|why| format!("{}: {why}", lab.out.display()))?;

    let mut chooser = Chooser::new(&lab.qemu, &lab.out);
    let mut records = Vec::new();
    for machine in &machines {
        let record = if arguments.skip.contains(&machine.name) {
            Record {
                machine: machine.name.clone(),
                outcome: Outcome::Skip("left out by --skip".to_owned()),
                took: Duration::ZERO,
                verdict: String::new(),
            }
        } else {
            println!(
                "boot   {:<12} QEMU {version}: {}",
                machine.name, machine.summary
            );
            lab.run(machine, &mut chooser)
        };
        println!("{record}");
        records.push(record);
    }
    println!("{}", outcome::closing_line(&records));
    Ok(outcome::all_passed(&records))
}
