//! The lab: boots xenprobe on the machines defined in `qemu/machines` and compares its verdicts.

mod check;
mod command;
mod definition;
mod options;
mod report;
mod run;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{bail, ensure, Context, Result};

use definition::{host, machines, Machine, Placeholder, Values};
use options::{Action, Options, Which};
use report::{files, peers, Outcome, Record};
use run::image::Images;
use run::kvm_trial::Chooser;
use run::lab::Lab;
use run::{qemu, schedule};

/// Seconds that the peers may add to a machine's time: several rounds of tools that take seconds each.
const PEERS: u64 = 300;

/// Seconds that comparing with lspci may add: some thirty pairs of lists, each with its database of names.
const LSPCI: u64 = 180;

fn main() -> ExitCode {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = Options::read(here.parent().unwrap_or(here)).and_then(execute);
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("lab: {why:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether all passed.
fn execute(options: Options) -> Result<bool> {
    if let Action::Help = options.action {
        print!("{}", options::HELP);
        return Ok(true);
    }
    // All definitions first: a typing error in the last one should not cost the time of the others.
    let hosts = host::read_all(&options.hosts)?;
    let mut machines = machines::read_all(&options.machines, &hosts)?;
    let more = PEERS * u64::from(options.peers) + LSPCI * u64::from(options.lspci);
    machines
        .iter_mut()
        .for_each(|machine| machine.deadline += more);
    let Action::Run(which) = &options.action else {
        let values = Values::new([(Placeholder::Accel, "qemu or kvm".to_owned())]);
        for machine in &machines {
            let host = machine.host.as_deref().unwrap_or("qemu");
            let (name, kind) = (&machine.name, values.expand(&machine.expect.kind)?);
            println!("{name:<25}  {host:<8}  {kind:<13}  {}", machine.summary);
        }
        return Ok(true);
    };
    let wanted = choose(&machines, which)?;
    let is_wanted = |name: &String| wanted.iter().any(|machine| machine.name == *name);
    if let Some(name) = options.skip.iter().find(|name| !is_wanted(name)) {
        bail!("--skip {name}: not among the machines to run");
    }
    let image = options.image.display();
    ensure!(
        options.image.is_file(),
        "{image}: no such image; scripts/build makes it"
    );
    let images = Images::new(&options.images);
    let (qemu, version) = match options.qemu {
        Some(qemu) => qemu::version(&qemu).map(|version| (qemu, version))?,
        None => images.qemu()?,
    };
    println!("QEMU {version}");
    let directories = [Some(&options.out), options.capture.as_ref()];
    for directory in directories.into_iter().flatten() {
        std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    }
    let archive = |wanted: bool| {
        let suites = || hosts.values().map(|host| host.suite.as_str());
        wanted.then(|| images.peers(suites())).transpose()
    };
    let lab = Lab {
        peers: archive(options.peers)?,
        lspci: archive(options.lspci)?,
        chooser: Chooser::new(&qemu, &options.out).into(),
        qemu,
        version,
        image: options.image,
        images,
        hosts,
        out: options.out,
        show: options.console,
        captures: options.capture,
        convert_check: Default::default(),
    };
    run_all(&lab, &wanted, &options.skip, options.jobs)
}

fn choose<'a>(machines: &'a [Machine], which: &Which) -> Result<Vec<&'a Machine>> {
    match which {
        Which::All => Ok(machines.iter().collect()),
        Which::Subset => Ok(machines.iter().filter(|machine| machine.subset).collect()),
        Which::Named(names) => names
            .iter()
            .map(|name| {
                let found = machines.iter().find(|machine| machine.name == *name);
                found.with_context(|| format!("{name}: no such machine; 'lab list' names them"))
            })
            .collect(),
    }
}

fn run_all(lab: &Lab, wanted: &[&Machine], skip: &[String], jobs: usize) -> Result<bool> {
    let (left_out, to_run): (Vec<&Machine>, Vec<&Machine>) = wanted
        .iter()
        .copied()
        .partition(|machine| skip.contains(&machine.name));
    let skipped =
        |machine: &&Machine| Record::new(machine, Outcome::Skip("left out by --skip".to_owned()));
    let mut records: Vec<Record> = left_out.iter().map(skipped).collect();
    records.iter().for_each(|record| println!("{record}"));
    records.extend(schedule::run(lab, &to_run, jobs)?);

    files::write(&lab.out, &records)?;
    if let Some(archive) = &lab.peers {
        let versions = archive.with_file_name("versions");
        let at = |path: &Path| path.display().to_string();
        let versions = std::fs::read_to_string(&versions).with_context(|| at(&versions))?;
        let page = peers::page(&records, &versions, &lab.version)?;
        let path = lab.out.join("peers.md");
        std::fs::write(&path, &page).with_context(|| at(&path))?;
        print!("\n{page}");
    }
    if records.len() > 1 {
        print!("\n{}", files::table(&records, &lab.version));
    }
    for record in records
        .iter()
        .filter(|record| !record.outcome.remarks().is_empty())
    {
        println!("{record}");
    }
    println!("{}", report::closing_line(&records));
    Ok(report::all_passed(&records))
}
