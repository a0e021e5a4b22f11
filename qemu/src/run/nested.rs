//! Guests: their host is booted once for all of them, and each ends in a record of its own.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::arguments::{self, Handed};
use super::lab::{keep_first, with_last_line, Ended, Lab};
use super::qemu::{self, End, Limits};
use super::share::Share;
use crate::check::transcript::Transcript;
use crate::check::{self, xenstore};
use crate::command::last_line;
use crate::definition::{Accel, Host, HostKind, Machine};
use crate::report::{Outcome, Record};

/// Seconds that a host may take for itself.
const HOST: u64 = 300;

/// What marks a line of the host's script.
const MARK: &str = "lab: ";

/// Boots `host` for `guests`; a second time for those that came to nothing. `finished` gets every record as soon as it
/// is final.
pub fn run(lab: &Lab, host: &Host, guests: &[&Machine], finished: &mut dyn FnMut(Record)) {
    let directory = lab.out.join("hosts").join(&host.name);
    let _ = fs::remove_dir_all(&directory);
    let mut again = Vec::new();
    for last in [false, true] {
        let guests = if last { again.clone() } else { guests.to_vec() };
        if guests.is_empty() {
            return;
        }
        let mut take = |machine, record: Record| match &record.outcome {
            Outcome::Error(why) if !last => {
                println!("error  {}: {why}; trying once more", record.machine);
                keep_first(&lab.out.join(&record.machine));
                again.push(machine);
            }
            _ => finished(record),
        };
        boot(lab, host, &guests, &directory, &mut take);
        keep_first(&directory);
    }
}

/// Boots `host` once.
fn boot<'a>(
    lab: &Lab,
    host: &Host,
    guests: &[&'a Machine],
    directory: &Path,
    take: &mut dyn FnMut(&'a Machine, Record),
) {
    println!(
        "boot   {}: {}, for {} guests",
        host.name,
        host.summary,
        guests.len()
    );
    let prepared = prepare(lab, host, guests, directory);
    let (handed, share) = match prepared {
        Ok(prepared) => prepared,
        Err(why) => {
            for machine in guests {
                let why = Outcome::Error(format!("{why:#}"));
                take(machine, Record::new(machine, why));
            }
            return;
        }
    };
    let console = directory.join("console.log");
    let mut command = Command::new(&lab.qemu);
    command.args(arguments::host(host, &handed, &console, share.path()));
    let _ = fs::write(directory.join("command"), format!("{command:?}\n"));

    let mut waiting = guests.to_vec();
    let mut line = Vec::new();
    let mut follow = |new: &[u8]| {
        for byte in new {
            match byte {
                b'\n' => {
                    let text = String::from_utf8_lossy(&line).into_owned();
                    line.clear();
                    if let Some(at) = text.find(MARK) {
                        on_mark(
                            lab,
                            &share,
                            text[at + MARK.len()..].trim_end(),
                            &mut waiting,
                            take,
                        );
                    }
                }
                byte => line.push(*byte),
            }
        }
    };
    let seconds = HOST + guests.iter().map(|guest| guest.deadline).sum::<u64>();
    let limits = Limits {
        deadline: Duration::from_secs(seconds),
        stall: Duration::from_secs(host.stall),
    };
    let run = qemu::run(command, &console, limits, &mut follow);
    let why = run.map_or_else(|why| format!("{why:#}"), |run| how_it_ended(host, &run));
    let _ = fs::remove_dir_all(share.path().join("boot"));
    // The one that it stopped at goes last, should it have been the reason.
    if !waiting.is_empty() {
        waiting.rotate_left(1);
    }
    for machine in waiting {
        let why = format!("{}: {why}; console: {}", host.name, console.display());
        take(machine, Record::new(machine, Outcome::Error(why)));
    }
}

fn prepare(
    lab: &Lab,
    host: &Host,
    guests: &[&Machine],
    directory: &Path,
) -> Result<(Handed, Share)> {
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    for machine in guests {
        let first = lab.out.join(&machine.name).join("console.first.log");
        let kept = fs::read(&first);
        lab.fresh_directory(machine)?;
        let _ = kept.map(|kept| fs::write(first, kept));
    }
    let image = lab.images.directory(&host.image())?;
    let xen = || (image.join("xen"), host.xen_cmdline.clone());
    let handed = Handed {
        kernel: image.join("vmlinuz"),
        initrd: image.join("root.cpio"),
        cmdline: host.cmdline.clone(),
        xen: (host.kind == HostKind::Xen).then(xen),
    };
    let share = Share::make(lab, host, guests, directory.join("share"))?;
    Ok((handed, share))
}

/// Follows what the host's script says: which guest starts, and which one is over.
fn on_mark<'a>(
    lab: &Lab,
    share: &Share,
    text: &str,
    waiting: &mut Vec<&'a Machine>,
    take: &mut dyn FnMut(&'a Machine, Record),
) {
    if lab.show {
        println!("{MARK}{text}");
    }
    let mut words = text.split(' ');
    let (Some("guest"), Some(name), Some(what)) = (words.next(), words.next(), words.next()) else {
        return;
    };
    let Some(at) = waiting.iter().position(|machine| machine.name == name) else {
        return;
    };
    match what {
        "start" => println!("boot   {name}: {}", waiting[at].summary),
        "end" => {
            let machine = waiting.remove(at);
            let value = |key: &str| text.split(' ').find_map(|word| word.strip_prefix(key));
            let seconds = value("seconds=").and_then(|text| text.parse().ok());
            let took = Duration::try_from_secs_f32(seconds.unwrap_or(0.0)).unwrap_or_default();
            let clean = value("rc=") == Some("0");
            take(machine, judge_guest(lab, share, machine, took, clean));
        }
        _ => {}
    }
}

fn judge_guest(lab: &Lab, share: &Share, machine: &Machine, took: Duration, clean: bool) -> Record {
    let directory = lab.out.join(&machine.name);
    for (what, file) in [
        ("console", "console.log"),
        ("report", "sent"),
        ("xl", "xl.log"),
        ("qemu", "qemu.log"),
        ("level", "level.log"),
        ("xen", "xen.log"),
        ("prepare", "prepare.log"),
        ("loader", "loader.log"),
        ("xenstore", "xenstore.log"),
        ("stored", "stored"),
    ] {
        let _ = fs::copy(share.left(machine, what), directory.join(file));
    }
    let read = |file: &str| fs::read(directory.join(file)).ok();
    let console = read("console.log").unwrap_or_default();
    let sent = read("sent").unwrap_or_else(|| console.clone());
    let console = String::from_utf8_lossy(&console);
    if lab.show {
        println!("{console}");
    }
    let late = took >= Duration::from_secs(machine.deadline);
    let unusable = match (check::is_done(&console, check::DONE), clean) {
        (true, true) => None,
        (true, false) if late => Some(format!(
            "did not switch itself off within {} s",
            machine.deadline
        )),
        (false, _) if late => Some(with_last_line(
            &format!("not done within {} s", machine.deadline),
            &console,
        )),
        (false, true) => Some(with_last_line(
            "ended without the completion mark",
            &console,
        )),
        (_, false) => {
            let said = read("xl.log")
                .or_else(|| read("qemu.log"))
                .unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            // What xl says first is why; the rest is how it cleans up.
            let why = said.lines().find(|line| line.contains("error:"));
            let why = why.unwrap_or_else(|| last_line(&said));
            Some(format!("could not be run: {why}"))
        }
    };
    let mut found = Vec::new();
    if machine.expect.xenstore {
        let listed = read("xenstore.log").unwrap_or_default();
        found = xenstore::differences(
            &machine.expect,
            &String::from_utf8_lossy(&listed),
            &read("stored").unwrap_or_default(),
            &Transcript::parse(&sent).report,
        );
    }
    lab.judge(
        machine,
        Ended {
            accel: Accel::Tcg,
            console: &console,
            sent: &sent,
            took,
            unusable,
            found,
            booted: share.booted(machine).as_ref(),
        },
    )
}

/// What to say of guests that the host never came to.
fn how_it_ended(host: &Host, run: &qemu::Run) -> String {
    if let Some(error) = run
        .console
        .lines()
        .find_map(|line| line.split_once("lab: error: "))
    {
        return error.1.trim_end().to_owned();
    }
    match &run.end {
        End::Exited(status) if !status.success() => {
            format!("QEMU failed ({status}): {}", run.error)
        }
        End::Exited(_) => with_last_line("ended early", &run.console),
        End::Stall => with_last_line(&format!("stood still for {} s", host.stall), &run.console),
        End::Deadline => with_last_line("took too long", &run.console),
    }
}
