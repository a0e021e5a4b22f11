//! The result of a run.

/// The result of a run: the value is the command line's exit status for the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Every assertion holds; without any, there is a verdict.
    Pass = 0,
    /// An assertion does not hold.
    Fail = 1,
    /// There is no verdict that could be held against anything.
    #[default]
    NoVerdict = 3,
    /// A sink did not take its report.
    NotDelivered = 4,
}

impl Outcome {
    const ALL: [Outcome; 4] = [
        Outcome::Pass,
        Outcome::Fail,
        Outcome::NoVerdict,
        Outcome::NotDelivered,
    ];

    /// Its word behind `result=`.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::NoVerdict => "no-verdict",
            Outcome::NotDelivered => "not-delivered",
        }
    }

    /// The outcome of that name; `None` where there is none.
    pub fn by_name(name: &str) -> Option<Outcome> {
        let mut all = Outcome::ALL.into_iter();
        all.find(|outcome| outcome.name() == name)
    }
}
