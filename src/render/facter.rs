//! Facter's external facts: a file `/etc/puppetlabs/facter/facts.d/xenprobe.json`, each key of which is a fact (Puppet,
//! "External facts"). There is one, `xenprobe`, with the fields that Ansible gets.

use super::ansible::summary;
use crate::json::Json;
use crate::report::Report;

pub fn render(report: &Report) -> String {
    format!("{}\n", Json::object([("xenprobe", summary(report))]))
}
