//! What process 1 does after the report: `xenprobe.then=`.

use std::fmt;

/// What comes after the report. Displays as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinalAction {
    /// Switches the machine off.
    PowerOff,
    /// Starts the machine again.
    Reboot,
    /// Stops the processors.
    Halt,
    /// Becomes the program at this path, which is absolute.
    Exec(String),
    /// Gives a person a shell, and switches the machine off after it.
    Shell,
}

impl FinalAction {
    /// The action of that name; `None` where there is none.
    pub fn by_name(name: &str) -> Option<FinalAction> {
        match name {
            "poweroff" => Some(FinalAction::PowerOff),
            "reboot" => Some(FinalAction::Reboot),
            "halt" => Some(FinalAction::Halt),
            "shell" => Some(FinalAction::Shell),
            _ => {
                let path = name.strip_prefix("exec:")?;
                path.starts_with('/')
                    .then(|| FinalAction::Exec(path.to_owned()))
            }
        }
    }
}

impl fmt::Display for FinalAction {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FinalAction::PowerOff => to.write_str("poweroff"),
            FinalAction::Reboot => to.write_str("reboot"),
            FinalAction::Halt => to.write_str("halt"),
            FinalAction::Exec(path) => write!(to, "exec:{path}"),
            FinalAction::Shell => to.write_str("shell"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were_given() {
        for name in ["poweroff", "reboot", "halt", "shell", "exec:/sbin/init"] {
            let action = FinalAction::by_name(name).map(|action| action.to_string());
            assert_eq!(action.as_deref(), Some(name));
        }
        for name in ["", "exec:", "exec:init", "Poweroff", "exec"] {
            assert_eq!(FinalAction::by_name(name), None);
        }
    }
}
