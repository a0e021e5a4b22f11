//! Kernel modules that evidence and delivery need, loaded before the probe by process 1 itself: no udev runs yet.
//! A list names them (modules-load.d(5)); a tree has their files below RELEASE, plain or compressed, and modules.dep with
//! what each of them depends on (modules.dep(5)). Each is loaded in a child that may take half of the time that is left for
//! all of them: one that hangs in the kernel keeps none of the others.
//!
//! No lists but those of [`PLACES`] are read: in somebody else's image others are its own init's to load.

use crate::deadline::Deadline;
use crate::error::{errno_text, Error};
use crate::fd::{read, read_file};
use crate::format::gzip;
use crate::supervise::supervise_result;
use nix::errno::Errno;
use nix::kmod::{finit_module, init_module, ModuleInitFlags};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

/// The list and the tree; the first list that is there counts. The first place is our own, since in somebody else's image
/// `/lib` and `/etc` may be links that an archive with directories of these names would replace.
const PLACES: [(&str, &str); 2] = [
    ("/xenprobe.d/modules.conf", "/xenprobe.d/modules"),
    ("/etc/modules-load.d/xenprobe.conf", "/lib/modules"),
];
const RELEASE: &str = "/proc/sys/kernel/osrelease";

/// The modules that are loaded, each a directory.
const LOADED: &str = "/sys/module";

/// The lists of a distribution's whole tree are smaller, and so are its largest modules, decompressed.
const LIMIT: usize = 64 << 20;

/// All of them may take so many times as long as the probe: most of it goes into decompressing.
const FACTOR: u32 = 3;

/// Loads what the list names; returns an error for each that could not be. Without a list nothing is done. `step` is when
/// the probe would have to be over if it began now, `end` when everything has.
pub fn load(step: Deadline, end: Deadline) -> Vec<Error> {
    load_from(&PLACES, step, end)
}

fn load_from(places: &[(&str, &str)], step: Deadline, end: Deadline) -> Vec<Error> {
    for (list, tree) in places {
        let (failed, why) = match (read_file(Path::new(list), LIMIT), contents(RELEASE)) {
            (Err(why), _) if why.kind() == ErrorKind::NotFound => continue,
            (Ok(list), Ok(release)) => {
                let release = String::from_utf8_lossy(&release);
                let limit = (step.left() * FACTOR).min(end.left() / 2);
                return load_all(&list, &format!("{tree}/{}", release.trim()), limit);
            }
            (Err(why), _) => (*list, why),
            (_, Err(why)) => (RELEASE, why),
        };
        return vec![Error::new("modules", Error::io(failed, &why).to_string())];
    }
    Vec::new()
}

fn load_all(list: &[u8], tree: &str, limit: Duration) -> Vec<Error> {
    let mut errors = Vec::new();
    let end = Deadline::after(limit);
    for name in names(&String::from_utf8_lossy(list)) {
        let result = supervise_result(end.share(2), &mut || load_one(name, tree));
        let why = match result {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(failure) => failure.to_string(),
        };
        errors.push(Error::new(format!("module {name}"), why));
    }
    errors
}

/// A name a line, and comments.
fn names(list: &str) -> impl Iterator<Item = &str> {
    list.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']))
}

/// Loads a module and before it all that it depends on.
fn load_one(name: &str, tree: &str) -> Result<(), Error> {
    let list = format!("{tree}/modules.dep");
    let rows = contents(&list).map_err(|why| Error::io(&list, &why))?;
    let rows = String::from_utf8_lossy(&rows);
    let Some((own, others)) = row(&rows, name) else {
        let built_in = contents(&format!("{tree}/modules.builtin")).unwrap_or_default();
        return match row(&String::from_utf8_lossy(&built_in), name) {
            Some(_) => Ok(()),
            None => Err(Error::new(list, "does not list it")),
        };
    };
    for path in in_order(own, others) {
        match insert(&format!("{tree}/{path}"))? {
            Inserted::Present => {}
            // What follows would have nothing to do either.
            Inserted::NoDevice => return Ok(()),
        }
    }
    Ok(())
}

/// The module's row of modules.dep, `FILE: FILE...`, behind the colon what it depends on; or of modules.builtin, which
/// has the files alone.
fn row<'a>(rows: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    // In names both are the same.
    let name = name.replace('-', "_");
    rows.lines()
        .map(|row| row.split_once(':').unwrap_or((row, "")))
        .find(|(own, _)| module_name(own).is_some_and(|own| own == name))
}

/// The files to load: modules.dep has last what has to come first.
fn in_order<'a>(own: &'a str, others: &'a str) -> impl Iterator<Item = &'a str> {
    let others = others.rsplit(' ').filter(|path| !path.is_empty());
    others.chain([own])
}

/// The name without what tells how the file is compressed, and as the kernel writes it.
fn module_name(path: &str) -> Option<String> {
    let (name, ending) = path.rsplit('/').next()?.split_once(".ko")?;
    (ending.is_empty() || ending.starts_with('.')).then(|| name.replace('-', "_"))
}

/// What became of a module.
enum Inserted {
    /// It is loaded now, if it was not before.
    Present,
    /// The hardware or hypervisor that it drives is not here.
    NoDevice,
}

/// Hands a module to the kernel, which judges its structure, its version and its signature.
fn insert(path: &str) -> Result<Inserted, Error> {
    let name = module_name(path).unwrap_or_default();
    if fs::symlink_metadata(format!("{LOADED}/{name}")).is_ok() {
        return Ok(Inserted::Present);
    }
    let compressed = path.ends_with(".xz") || path.ends_with(".zst");
    let result = match compressed {
        true => insert_compressed(path).map_err(|why| Error::io(path, &why))?,
        false => {
            let mut bytes = contents(path).map_err(|why| Error::io(path, &why))?;
            if bytes.starts_with(&gzip::MAGIC) {
                let result = gzip::decompress(&bytes, LIMIT);
                bytes = result.map_err(|why| Error::new(path, why.to_string()))?;
            }
            init_module(&bytes, c"")
        }
    };
    match result {
        Ok(()) | Err(Errno::EEXIST) => Ok(Inserted::Present),
        Err(Errno::ENODEV) => Ok(Inserted::NoDevice),
        // What the error says of files would mislead.
        Err(Errno::ENOENT) => Err(Error::new(path, "needs a symbol that is not there")),
        // Linux before 5.17 does not know the flag.
        Err(Errno::EOPNOTSUPP | Errno::EINVAL) if compressed => Err(Error::new(
            path,
            "the kernel does not decompress it (CONFIG_MODULE_DECOMPRESS, for this compression), or it is no module; \
             a plain or gzip file can be loaded",
        )),
        Err(why) => Err(Error::new(path, errno_text(why))),
    }
}

/// Leaves decompressing to the kernel.
fn insert_compressed(path: &str) -> io::Result<nix::Result<()>> {
    const COMPRESSED_FILE: u32 = 4; // MODULE_INIT_COMPRESSED_FILE, include/uapi/linux/module.h
    let flags = ModuleInitFlags::from_bits_retain(COMPRESSED_FILE);
    Ok(finit_module(File::open(path)?, c"", flags))
}

fn contents(path: &str) -> io::Result<Vec<u8>> {
    read(File::open(path)?, LIMIT, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const DEP: &str = "\
kernel/drivers/scsi/scsi_mod.ko: kernel/drivers/scsi/scsi_common.ko
kernel/drivers/ata/ata_piix.ko.xz: kernel/drivers/ata/libata.ko.xz kernel/drivers/scsi/scsi_mod.ko kernel/drivers/scsi/scsi_common.ko
kernel/drivers/block/xen-blkfront.ko.zst:
";

    fn order(name: &str) -> Option<Vec<&'static str>> {
        row(DEP, name).map(|(own, others)| in_order(own, others).collect())
    }

    #[test]
    fn dependencies_come_first() {
        let paths = [
            "kernel/drivers/scsi/scsi_common.ko",
            "kernel/drivers/scsi/scsi_mod.ko",
            "kernel/drivers/ata/libata.ko.xz",
            "kernel/drivers/ata/ata_piix.ko.xz",
        ];
        assert_eq!(order("ata_piix"), Some(paths.to_vec()));
        assert_eq!(order("ata-piix"), Some(paths.to_vec()));
        let blkfront = "kernel/drivers/block/xen-blkfront.ko.zst";
        assert_eq!(order("xen_blkfront"), Some(vec![blkfront]));
        assert_eq!(order("libata"), None);
        assert_eq!(order(""), None);
    }

    #[test]
    fn names_are_lines_without_comments() {
        let list = "# for the report\n\n nvme \n; not these\nxen-blkfront\r\n";
        assert_eq!(names(list).collect::<Vec<_>>(), ["nvme", "xen-blkfront"]);
    }

    #[test]
    fn only_modules_have_names() {
        assert_eq!(module_name("a/b-c.ko.gz").as_deref(), Some("b_c"));
        assert_eq!(module_name("b.ko").as_deref(), Some("b"));
        assert_eq!(module_name("b.kopy"), None);
        assert_eq!(module_name(""), None);
    }

    /// Whatever is wrong with one, the next one has its turn.
    #[test]
    fn each_that_fails_is_a_line() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().to_str().unwrap();
        let tree = directory.path();
        let dep =
            "k/broken.ko.gz:\nk/kernels.ko.xz:\nk/garbage.ko: k/gone.ko\nk/hangs.ko:\nk/text.ko:\n";
        fs::create_dir(tree.join("k")).unwrap();
        fs::write(tree.join("modules.dep"), dep).unwrap();
        fs::write(tree.join("modules.builtin"), "kernel/fs/ext4/ext4.ko\n").unwrap();
        fs::write(tree.join("k/broken.ko.gz"), b"\x1f\x8b\x08\0\0\x01").unwrap();
        fs::write(tree.join("k/kernels.ko.xz"), b"\xfd7zXZ\0\0\x01").unwrap();
        fs::write(tree.join("k/text.ko"), "not a module").unwrap();
        // A file that keeps its reader waiting.
        let status = Command::new("mkfifo").arg(tree.join("k/hangs.ko")).status();
        assert!(status.unwrap().success());
        let list = b"broken\ngarbage\nhangs\next4\nabsent\nkernels\ntext\n";
        let lines: Vec<String> = load_all(list, at, Duration::from_secs(4))
            .iter()
            .map(Error::to_string)
            .collect();
        let (others, of_kernel) = lines.split_at(4);
        assert_eq!(
            others,
            [
                format!("module broken: {at}/k/broken.ko.gz: gzip: ends in its header"),
                format!("module garbage: {at}/k/gone.ko: No such file or directory"),
                others[2].clone(),
                format!("module absent: {at}/modules.dep: does not list it"),
            ]
        );
        let late = &others[2];
        assert!(
            late.starts_with("module hangs: took longer than ")
                && late.ends_with(" s and was killed"),
            "{late}"
        );
        // In the kernel's words, which depend on who asks.
        let [kernels, text] = of_kernel else {
            panic!("{lines:?}");
        };
        let start = format!("module kernels: {at}/k/kernels.ko.xz: ");
        assert!(kernels.starts_with(&start), "{kernels}");
        let start = format!("module text: {at}/k/text.ko: ");
        assert!(text.starts_with(&start), "{text}");
    }

    #[test]
    fn first_list_that_is_there_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let (own, shared, tree) = (path("own"), path("shared"), path("tree"));
        let places = [(own.as_str(), "/own"), (shared.as_str(), tree.as_str())];
        let step = Deadline::after(Duration::from_secs(10));
        let first = || load_from(&places, step, step).first().map(Error::to_string);
        assert_eq!(first(), None);
        fs::write(&shared, "nvme\n").unwrap();
        assert!(first()
            .unwrap()
            .starts_with(&format!("module nvme: {tree}/")));
        fs::write(&own, "ahci\n").unwrap();
        assert!(first().unwrap().starts_with("module ahci: /own/"));
    }

    #[test]
    fn tree_that_is_not_there_is_named() {
        let lines = load_all(b"nvme", "/no/such", Duration::from_secs(10));
        let line = "module nvme: /no/such/modules.dep: No such file or directory";
        assert_eq!(lines[0].to_string(), line);
        assert_eq!(lines.len(), 1);
    }
}
