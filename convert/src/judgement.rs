//! The closed vocabularies: in which modes a kernel or a system is judged, and what the judgement is. Scripts compare
//! with these names, so none is ever renamed; `docs/convert.md` explains each.

use crate::names::serialize_by_name;
use serde::Serialize;

/// In which way Xen starts a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A guest without hardware virtualisation.
    Pv,
    /// A guest in a hardware virtual machine without firmware.
    Pvh,
    /// A guest in a hardware virtual machine that starts through firmware.
    Hvm,
    /// As [`Mode::Pv`], and the first domain.
    PvDom0,
    /// As [`Mode::Pvh`], and the first domain.
    PvhDom0,
}

impl Mode {
    /// All, in the order in which they are reported.
    pub const ALL: [Mode; 5] = [Mode::Pv, Mode::Pvh, Mode::Hvm, Mode::PvDom0, Mode::PvhDom0];
    /// Those that a guest can have.
    pub const GUEST: [Mode; 3] = [Mode::Pv, Mode::Pvh, Mode::Hvm];

    /// The name that scripts compare with.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Pv => "pv",
            Mode::Pvh => "pvh",
            Mode::Hvm => "hvm",
            Mode::PvDom0 => "pv-dom0",
            Mode::PvhDom0 => "pvh-dom0",
        }
    }

    /// The guest mode of that name.
    pub fn guest(name: &str) -> Option<Mode> {
        Mode::GUEST.into_iter().find(|mode| mode.name() == name)
    }

    /// Whether the domain gets the machine's own devices.
    pub fn is_dom0(self) -> bool {
        matches!(self, Mode::PvDom0 | Mode::PvhDom0)
    }
}

/// From worst to best, except that what is not known is worse than what needs a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It cannot be.
    Impossible,
    /// It depends on something that could not be read.
    Unknown,
    /// It works when all changes are made.
    AfterChanges,
    /// Nothing that was found speaks against it.
    Ready,
}

impl Answer {
    /// The name that scripts compare with.
    pub fn name(self) -> &'static str {
        match self {
            Answer::Impossible => "impossible",
            Answer::Unknown => "unknown",
            Answer::AfterChanges => "after-changes",
            Answer::Ready => "ready",
        }
    }
}

serialize_by_name!(Mode, Answer, ChangePlace);

/// Something that was found and speaks for or against a mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The file or the part of it, such as `etc/fstab` or `ELF notes`.
    pub source: String,
    /// What stands there.
    pub observed: String,
    /// What follows from it.
    pub means: String,
}

/// Where something has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangePlace {
    /// In the system: a file, perhaps with a line, or a part that the name tells.
    System(String),
    /// In the domain's configuration.
    Domain,
}

impl ChangePlace {
    /// The name that is printed.
    pub fn name(&self) -> &str {
        match self {
            ChangePlace::System(place) => place,
            ChangePlace::Domain => "domain",
        }
    }
}

/// Something to be done before the mode works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where.
    pub place: ChangePlace,
    /// What, in a sentence.
    pub what: String,
}

/// Who gets a guest's kernel to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starter {
    /// The machine's firmware, and the boot loader on the disk.
    Firmware,
    /// pygrub in dom0, which reads the boot loader's configuration from the disk.
    Pygrub,
    /// The toolstack, with copies of the kernel and the initramfs, since pygrub cannot read the disk.
    Copies,
}

/// What is said of one mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// The mode that is judged.
    pub mode: Mode,
    /// Whether it works.
    pub answer: Answer,
    /// Why, in the order in which it was looked at; the one that makes the answer `impossible` or `unknown` is the last.
    pub reasons: Vec<Reason>,
    /// What has to be done first.
    pub changes: Vec<Change>,
    /// What holds besides, without a change: versions of Xen that are needed.
    pub conditions: Vec<String>,
    /// How a guest would be started. A kernel alone does not tell; nor does it concern dom0.
    #[serde(skip)]
    pub starter: Starter,
}

impl Judgement {
    /// Ready, until something speaks against it.
    pub fn new(mode: Mode) -> Judgement {
        Judgement {
            mode,
            answer: Answer::Ready,
            reasons: Vec::new(),
            changes: Vec::new(),
            conditions: Vec::new(),
            starter: match mode {
                Mode::Hvm => Starter::Firmware,
                _ => Starter::Pygrub,
            },
        }
    }

    /// Notes something that leaves the answer as it is.
    pub fn because(&mut self, source: &str, observed: impl Into<String>, means: impl Into<String>) {
        let is_decided = self.answer <= Answer::Unknown;
        let place = self.reasons.len().saturating_sub(is_decided.into());
        self.insert(place, source, observed, means);
    }

    fn insert(
        &mut self,
        place: usize,
        source: &str,
        observed: impl Into<String>,
        means: impl Into<String>,
    ) {
        let reason = Reason {
            source: cut(source.to_owned()),
            observed: cut(observed.into()),
            means: cut(means.into()),
        };
        self.reasons.insert(place, reason);
    }

    /// Notes something after which the answer can be no better than `answer`.
    pub fn at_best(
        &mut self,
        answer: Answer,
        source: &str,
        observed: impl Into<String>,
        means: impl Into<String>,
    ) {
        if answer > self.answer {
            return self.because(source, observed, means);
        }
        self.answer = answer;
        self.insert(self.reasons.len(), source, observed, means);
    }

    /// Notes what has to be done in the system, once.
    pub fn change(&mut self, place: &str, what: impl Into<String>) {
        self.add(ChangePlace::System(cut(place.to_owned())), what.into());
    }

    /// Notes that the toolstack starts copies of the kernel and the initramfs.
    pub fn start_copies(&mut self, what: String) {
        self.starter = Starter::Copies;
        self.add(ChangePlace::Domain, what);
    }

    fn add(&mut self, place: ChangePlace, what: String) {
        self.answer = self.answer.min(Answer::AfterChanges);
        let change = Change {
            place,
            what: cut(what),
        };
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }
}

/// The longest text in a judgement, in bytes. Most of it is of the system's own files, where a line may have a megabyte, and
/// each judgement would have a copy.
const LONGEST: usize = 400;

/// What is too long is cut, and says so.
fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text.push_str(" [...]");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found behind it does not hide it.
    #[test]
    fn reason_that_decides_is_the_last() {
        let mut judgement = Judgement::new(Mode::Pv);
        let all = |judgement: &Judgement| {
            let sources = judgement.reasons.iter().map(|reason| &reason.source[..]);
            sources.collect::<Vec<_>>().join(" ")
        };
        judgement.because("a", "", "");
        judgement.change("b", "");
        judgement.because("c", "", "");
        assert_eq!(all(&judgement), "a c");
        judgement.at_best(Answer::Unknown, "d", "", "");
        judgement.because("e", "", "");
        assert_eq!(all(&judgement), "a c e d");
        judgement.at_best(Answer::Impossible, "f", "", "");
        judgement.at_best(Answer::Unknown, "g", "", "");
        assert_eq!(all(&judgement), "a c e d g f");
        assert_eq!(judgement.answer, Answer::Impossible);
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let mut judgement = Judgement::new(Mode::Pv);
        judgement.because("a", "é".repeat(1000), "b");
        let observed = &judgement.reasons[0].observed;
        assert_eq!(*observed, "é".repeat(200) + " [...]");
    }
}
