//! The closed vocabularies of `convert`: in which modes a kernel or a system is judged, and what the judgement is.
//! Scripts compare with these names, so none is ever renamed; `docs/convert.md` explains each.

use serde::{Serialize, Serializer};

/// In which way Xen starts a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Pv,
    Pvh,
    Hvm,
    PvDom0,
    PvhDom0,
}

impl Mode {
    pub const ALL: [Mode; 5] = [Mode::Pv, Mode::Pvh, Mode::Hvm, Mode::PvDom0, Mode::PvhDom0];
    /// Those that a guest can have.
    pub const GUEST: [Mode; 3] = [Mode::Pv, Mode::Pvh, Mode::Hvm];

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
    Impossible,
    Unknown,
    AfterChanges,
    Ready,
}

impl Answer {
    pub fn name(self) -> &'static str {
        match self {
            Answer::Impossible => "impossible",
            Answer::Unknown => "unknown",
            Answer::AfterChanges => "after-changes",
            Answer::Ready => "ready",
        }
    }
}

macro_rules! serialize_by_name {
    ($($word:ty),*) => {$(
        impl Serialize for $word {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.name())
            }
        }
    )*};
}

serialize_by_name!(Mode, Answer);

/// Something that was found and speaks for or against a mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The file or the part of it, such as `etc/fstab` or `ELF notes`.
    pub source: String,
    pub observed: String,
    pub means: String,
}

/// Something to be done before the mode works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where: a file, or `domain` for the domain's configuration.
    pub place: String,
    pub what: String,
}

/// What is said of one mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    pub mode: Mode,
    pub answer: Answer,
    pub reasons: Vec<Reason>,
    pub changes: Vec<Change>,
    /// What holds besides, without a change: versions of Xen that are needed.
    pub conditions: Vec<String>,
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
        }
    }

    /// Notes something that leaves the answer as it is.
    pub fn because(&mut self, source: &str, observed: impl Into<String>, means: impl Into<String>) {
        self.reasons.push(Reason {
            source: source.to_owned(),
            observed: observed.into(),
            means: means.into(),
        });
    }

    /// Notes something after which the answer can be no better than `answer`.
    pub fn at_best(
        &mut self,
        answer: Answer,
        source: &str,
        observed: impl Into<String>,
        means: impl Into<String>,
    ) {
        self.answer = self.answer.min(answer);
        self.because(source, observed, means);
    }

    pub fn change(&mut self, place: &str, what: impl Into<String>) {
        self.answer = self.answer.min(Answer::AfterChanges);
        let change = Change {
            place: place.to_owned(),
            what: what.into(),
        };
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }
}
