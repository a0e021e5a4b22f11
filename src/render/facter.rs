//! Facter's external facts: a file `/etc/puppetlabs/facter/facts.d/xenprobe.json`, each key of which is a fact (Puppet,
//! "External facts"). There is one, `xenprobe`, with the fields that Ansible gets.

use super::ansible::Summary;
use super::json;
use crate::report::Report;
use serde::Serialize;

#[derive(Serialize)]
struct Facts<'a> {
    xenprobe: Summary<'a>,
}

/// An object whose one field is the fact.
pub fn render(report: &Report) -> String {
    let xenprobe = Summary::of(report);
    json::pretty(&Facts { xenprobe })
}
