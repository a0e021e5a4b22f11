//! What each fact speaks for, strongest first: the interface that the machine executes decides, what the kernel and
//! the firmware's tables report is strong, strings and lists support. Nothing here weighs one against another.

mod confidential;
mod container;
mod firmware;
mod kernel;
mod native;
mod platform;
mod xen;
pub(super) mod xen_leaves;

use super::containers::by_name;
use super::hypervisor::Hypervisor;
use super::words::{Role, XenMode};
use crate::facts::Facts;
use crate::source::Source;

/// One observation and what it speaks for.
pub struct Evidence {
    /// Where it was observed.
    pub source: &'static Source,
    /// What was there.
    pub observed: String,
    /// What that means, for a person.
    pub means: String,
    /// What that means, for the judge.
    pub claims: Vec<Claim>,
    /// How much it counts.
    pub weight: Weight,
}

/// Evidence as it is gathered.
#[derive(Default)]
pub(super) struct Gathered(Vec<Evidence>);

impl Gathered {
    /// Whether something claims what is asked for.
    fn has(&self, asked: impl Fn(&Claim) -> bool) -> bool {
        let mut claims = self.0.iter().flat_map(|evidence| &evidence.claims);
        claims.any(asked)
    }

    /// What `source` observed, what that means, and what it speaks for.
    fn add(
        &mut self,
        source: &'static Source,
        weight: Weight,
        observed: &str,
        means: &str,
        claims: &[Claim],
    ) {
        self.0.push(Evidence {
            source,
            observed: observed.to_owned(),
            means: means.to_owned(),
            claims: claims.to_vec(),
            weight,
        });
    }
}

/// How a text begins and the word of which that is a mark. Without a word, what is behind the beginning is a container's
/// name.
type Mark = (&'static str, &'static str);

/// What images call their container, whatever it is.
const NO_NAME: &str = "oci";

impl Gathered {
    /// The texts that bear a mark of a word. The first word decides.
    fn marks(&mut self, source: &'static Source, field: Beside, marks: &[Mark], texts: &[String]) {
        for (start, word) in marks {
            for text in texts {
                let rest = text.strip_prefix(start).unwrap_or(NO_NAME);
                if rest == NO_NAME {
                    continue;
                }
                let word = match word.is_empty() {
                    true => by_name(rest).name,
                    false => word,
                };
                let means = ["a mark of ", word].concat();
                let claims = &[Claim::Beside(field, word)];
                self.add(source, Weight::Supports, text, &means, claims);
            }
        }
    }
}

/// How much it counts, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A string, a list, or the absence of something: others may set it, and it may be missing.
    Supports,
    /// What the kernel or the firmware's tables report.
    Strong,
    /// What the machine executes.
    Decides,
}

/// What a piece of evidence says to one of the judge's questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Xen's interface is there.
    Xen,
    /// Whether that interface is Xen's own, or another hypervisor's copy.
    Genuine(bool),
    /// Xen's leaves are nowhere, which it shows in every domain.
    NoLeaves,
    /// Another than Xen started the kernel, which starts those of PV domains and of dom0 itself.
    OtherLoader,
    /// How Xen runs the domain.
    Mode(XenMode),
    /// Whether it is dom0.
    Role(Role),
    /// What the processor answers natively: this machine's hypervisor, or in a PV domain the machine under Xen.
    Processor(Subject),
    /// Whose firmware and board these are: this machine's, or in a dom0 those of the machine under Xen.
    Board(Subject),
    /// Whose devices are on that board. An HVM guest of Xen has QEMU's, from Xen's device model.
    Device(Subject),
    /// Whether there is a board at all. A dom0 and a PV guest with passthrough have devices too, and a machine with
    /// full emulation may have none, so this never decides.
    HasBoard(bool),
    /// What runs this kernel on top of whatever the processor shows.
    Runs(&'static Hypervisor),
    /// The word of a field that stands beside the kind and changes nothing of it.
    Beside(Beside, &'static str),
    /// An interface that is offered beside or on top of another one.
    Presents(&'static Hypervisor),
}

/// A field that stands beside the kind. The judge counts on their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// In which cloud or product the machine runs.
    Platform,
    /// What encloses the probe.
    Container,
    /// How the processor keeps the machine's memory from its host.
    Confidential,
}

/// Of what a claim speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A hypervisor that has a row.
    Hypervisor(&'static Hypervisor),
    /// Some hypervisor.
    Virtual,
    /// No hypervisor.
    Nothing,
}

/// Everything that the facts speak for, in the order in which it is weighed.
pub fn gather(facts: &Facts) -> Vec<Evidence> {
    let mut all = Gathered::default();
    xen_leaves::gather(facts, &mut all);
    xen::gather(facts, &mut all);
    kernel::gather(facts, &mut all);
    native::gather(facts, &mut all);
    firmware::gather(facts, &mut all);
    platform::gather(facts, &mut all);
    confidential::gather(facts, &mut all);
    container::gather(facts, &mut all);
    xen::against(facts, &mut all);
    let mut all = all.0;
    // The sort is stable: within a weight the order above stays.
    all.sort_by_key(|evidence| std::cmp::Reverse(evidence.weight));
    all
}
