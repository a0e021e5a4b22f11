//! Machines side by side: what takes longest starts first, and a host's guests are one piece of work.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::{bail, Result};

use super::lab::Lab;
use super::{direct, nested};
use crate::definition::{Direct, Host, Machine, Start};
use crate::report::Record;

enum Job<'a> {
    Direct(&'a Machine, &'a Direct),
    Guests(&'a Host, Vec<&'a Machine>),
}

impl Job<'_> {
    /// Seconds at the very most, which sorts them well enough.
    fn cost(&self) -> u64 {
        match self {
            Self::Direct(machine, _) => machine.deadline,
            Self::Guests(_, machines) => 300 + machines.iter().map(|one| one.deadline).sum::<u64>(),
        }
    }

    fn memory(&self) -> &str {
        match self {
            Self::Direct(_, direct) => direct.emulator.memory(),
            Self::Guests(host, _) => &host.memory,
        }
    }
}

/// Runs `machines`, at most `jobs` pieces of work at a time, and returns their records in the order of `machines`.
pub fn run(lab: &Lab, machines: &[&Machine], jobs: usize) -> Result<Vec<Record>> {
    let work = arrange(lab, machines);
    let largest = work
        .iter()
        .map(|job| mebibytes(job.memory()))
        .max()
        .unwrap_or(0);
    let jobs = match available() {
        Some(available) if available < largest => {
            bail!("memory: {largest} MiB wanted, {available} available");
        }
        Some(available) if largest > 0 => jobs.min((available / largest) as usize),
        _ => jobs,
    };
    // Taken from the end.
    let queue = Mutex::new(work);
    let records = Mutex::new(Vec::new());
    let next = || {
        queue
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
            .pop()
    };
    let finished = |record: Record| {
        println!("{record}");
        records
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
            .push(record);
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(job) = next() {
                    match job {
                        Job::Direct(machine, direct) => finished(direct::run(lab, machine, direct)),
                        Job::Guests(host, machines) => {
                            nested::run(lab, host, &machines, &mut |record| finished(record));
                        }
                    }
                }
            });
        }
    });
    let mut records = records
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner());
    let place = |record: &Record| {
        machines
            .iter()
            .position(|machine| machine.name == record.machine)
    };
    records.sort_by_key(place);
    Ok(records)
}

/// Shortest first.
fn arrange<'a>(lab: &'a Lab, machines: &[&'a Machine]) -> Vec<Job<'a>> {
    let mut work = Vec::new();
    let mut guests: BTreeMap<&str, Vec<&Machine>> = BTreeMap::new();
    for machine in machines {
        match (&machine.start, &machine.host) {
            (Start::Direct(direct), _) => work.push(Job::Direct(machine, direct)),
            (Start::Host(_), host) => guests
                .entry(host.as_deref().unwrap_or(""))
                .or_default()
                .push(machine),
        }
    }
    for (host, machines) in guests {
        // Every guest was defined on a host that there is.
        work.extend(lab.hosts.get(host).map(|host| Job::Guests(host, machines)));
    }
    work.sort_by_key(Job::cost);
    work
}

/// `2G` or `256M`, as QEMU has it.
fn mebibytes(memory: &str) -> u64 {
    let number = |text: &str| text.parse().unwrap_or(0);
    match memory.strip_suffix('G') {
        Some(text) => number(text) * 1024,
        None => number(memory.trim_end_matches('M')),
    }
}

fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let rest = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = rest.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_qemu_does() {
        assert_eq!(
            [mebibytes("2G"), mebibytes("256M"), mebibytes("64")],
            [2048, 256, 64]
        );
        assert!(available().is_none_or(|found| found > 0));
    }
}
