//! Windows, detected by its directories, whose names are spelt in any case: it boots through firmware alone, so never as PV or
//! PVH; Xen's drivers for it are files of known names.

use crate::sysroot::Sysroot;
use serde::Serialize;

/// Files of Xen's drivers: the Xen Project's and XenServer's bus and disk, and EJBPV's of openSUSE.
const DRIVERS: &[&str] = &[
    "xenbus.sys",
    "xenvbd.sys",
    "xenvif.sys",
    "xennet.sys",
    "xenbus_pv.sys",
    "xnbdrv.sys",
];

/// An installed Windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Windows {
    /// The directory that tells it.
    pub path: String,
    /// Files of Xen's drivers that are there.
    pub pv_drivers: Vec<String>,
}

/// Windows, if the system is that.
pub fn find(system: &Sysroot) -> Option<Windows> {
    let path = directory(system, "", &["windows", "system32"])?;
    let drivers = directory(system, &path, &["drivers"]);
    let files = drivers.map(|path| system.list(&path)).unwrap_or_default();
    let known = |file: &String| DRIVERS.contains(&file.to_lowercase().as_str());
    Some(Windows {
        path,
        pv_drivers: files.into_iter().filter(known).collect(),
    })
}

/// Goes down by names in any case.
fn directory(system: &Sysroot, start: &str, names: &[&str]) -> Option<String> {
    names.iter().try_fold(start.to_owned(), |path, wanted| {
        let names = system.list(&format!("/{path}"));
        let name = names
            .into_iter()
            .find(|name| name.eq_ignore_ascii_case(wanted))?;
        Some(match path.as_str() {
            "" => name,
            _ => format!("{path}/{name}"),
        })
    })
}
