//! The lab: boots xenprobe on the machines defined in `qemu/machines` and compares its verdicts.

mod accel;
mod arguments;
mod booting;
mod capture;
mod cmdline;
mod definition;
mod direct;
mod disks;
mod host;
mod image;
mod judge;
mod lab;
mod lspci;
mod machine;
mod machines;
mod nested;
mod options;
mod outcome;
mod peers;
mod promise;
mod qemu;
mod results;
mod schedule;
mod share;
mod transcript;
mod xenstore;

use std::path::Path;
use std::process::ExitCode;

use accel::Chooser;
use image::Images;
use lab::Lab;
use machine::Machine;
use options::{Action, Options, Which};
use outcome::{Outcome, Record};

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
            eprintln!("lab: {why}");
            ExitCode::from(2)
        }
    }
}

/// Whether all passed.
fn execute(options: Options) -> Result<bool, String> {
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
        for machine in &machines {
            let host = machine.host.as_deref().unwrap_or("qemu");
            let (name, kind) = (
                &machine.name,
                machine.expect.kind.replace("{accel}", "qemu or kvm"),
            );
            println!("{name:<25}  {host:<8}  {kind:<13}  {}", machine.summary);
        }
        return Ok(true);
    };
    let wanted = choose(&machines, which)?;
    if let Some(name) = options
        .skip
        .iter()
        .find(|name| !wanted.iter().any(|one| one.name == **name))
    {
        return Err(format!("--skip {name}: not among the machines to run"));
    }
    if !options.image.is_file() {
        let image = options.image.display();
        return Err(format!("{image}: no such image; scripts/build makes it"));
    }
    let images = Images::new(&options.images);
    let (qemu, version) = match options.qemu {
        Some(qemu) => qemu::version(&qemu).map(|version| (qemu, version))?,
        None => images.qemu()?,
    };
    println!("QEMU {version}");
    for folder in [Some(&options.out), options.capture.as_ref()]
        .into_iter()
        .flatten()
    {
        std::fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
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
        promises: Default::default(),
    };
    run(&lab, &wanted, &options.skip, options.jobs)
}

fn choose<'a>(machines: &'a [Machine], which: &Which) -> Result<Vec<&'a Machine>, String> {
    match which {
        Which::All => Ok(machines.iter().collect()),
        Which::Subset => Ok(machines.iter().filter(|machine| machine.subset).collect()),
        Which::Named(names) => names
            .iter()
            .map(|name| {
                let found = machines.iter().find(|machine| machine.name == *name);
                found.ok_or_else(|| format!("{name}: no such machine; 'lab list' names them"))
            })
            .collect(),
    }
}

fn run(lab: &Lab, wanted: &[&Machine], skip: &[String], jobs: usize) -> Result<bool, String> {
    let (left_out, to_run): (Vec<&Machine>, Vec<&Machine>) = wanted
        .iter()
        .copied()
        .partition(|machine| skip.contains(&machine.name));
    let skipped =
        |machine: &&Machine| Record::new(machine, Outcome::Skip("left out by --skip".to_owned()));
    let mut records: Vec<Record> = left_out.iter().map(skipped).collect();
    records.iter().for_each(|record| println!("{record}"));
    records.extend(schedule::run(lab, &to_run, jobs)?);

    results::write(&lab.out, &records)?;
    if let Some(archive) = &lab.peers {
        let at = |path: &Path, why: std::io::Error| format!("{}: {why}", path.display());
        let versions = archive.with_file_name("versions");
        let versions = std::fs::read_to_string(&versions).map_err(|why| at(&versions, why))?;
        let page = peers::page(&records, &versions, &lab.version)?;
        let path = lab.out.join("peers.md");
        std::fs::write(&path, &page).map_err(|why| at(&path, why))?;
        print!("\n{page}");
    }
    if records.len() > 1 {
        print!("\n{}", results::table(&records, &lab.version));
    }
    for record in records
        .iter()
        .filter(|record| !record.outcome.remarks().is_empty())
    {
        println!("{record}");
    }
    println!("{}", outcome::closing_line(&records));
    Ok(outcome::all_passed(&records))
}
