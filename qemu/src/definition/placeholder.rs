//! What stands between braces in a definition, and the one place where it is replaced.

use std::path::PathBuf;

use anyhow::{bail, Result};

/// A word between braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// In an expectation: `qemu` on TCG, `kvm` on KVM.
    Accel,
    /// In a file: the image of the machine's host.
    Host,
    /// Among devices: what `scripts/image` made.
    Medium,
    /// Among devices and in a guest's configuration: the disk of an installed system, which has to stay as it is.
    Disk,
    /// Among devices: the directory of the machine's disks.
    Disks,
    /// Among devices: where the report goes.
    Report,
    /// In a guest's configuration: the directory of its kernel.
    Kernel,
    /// In a guest's configuration: its initramfs.
    Initrd,
    /// In a guest's configuration: its kernel's command line.
    Cmdline,
}

impl Placeholder {
    const ALL: [Self; 9] = [
        Self::Accel,
        Self::Host,
        Self::Medium,
        Self::Disk,
        Self::Disks,
        Self::Report,
        Self::Kernel,
        Self::Initrd,
        Self::Cmdline,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Accel => "accel",
            Self::Host => "host",
            Self::Medium => "medium",
            Self::Disk => "disk",
            Self::Disks => "disks",
            Self::Report => "report",
            Self::Kernel => "kernel",
            Self::Initrd => "initrd",
            Self::Cmdline => "cmdline",
        }
    }

    /// Whether `text` holds it.
    pub fn is_in(self, text: &str) -> bool {
        text.contains(&format!("{{{}}}", self.name()))
    }
}

/// Finds the path of a file of an image, such as `system-bookworm/disk.img`.
pub type FindFile<'a> = dyn Fn(&str) -> Result<PathBuf> + 'a;

/// What the placeholders stand for in one place.
#[derive(Default)]
pub struct Values<'a> {
    values: Vec<(Placeholder, String)>,
    files: Option<&'a FindFile<'a>>,
}

impl<'a> Values<'a> {
    /// What each placeholder of `values` stands for.
    pub fn new(values: impl IntoIterator<Item = (Placeholder, String)>) -> Self {
        Self {
            values: values.into_iter().collect(),
            files: None,
        }
    }

    /// `{IMAGE/FILE}` stands for the path that `files` finds.
    pub fn with_files(self, files: &'a FindFile<'a>) -> Self {
        Self {
            files: Some(files),
            ..self
        }
    }

    /// `text` with everything replaced. A placeholder that stands for nothing here is an error; braces around anything else,
    /// a shell's for instance, are left alone.
    pub fn expand(&self, text: &str) -> Result<String> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            expanded.push_str(before);
            let value = match after.split_once('}') {
                Some((word, behind)) => self.value(word)?.map(|value| (value, behind)),
                None => None,
            };
            let (value, behind) = value.unwrap_or_else(|| ("{".to_owned(), after));
            expanded.push_str(&value);
            rest = behind;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    fn value(&self, word: &str) -> Result<Option<String>> {
        if let Some(known) = Placeholder::ALL.iter().find(|known| known.name() == word) {
            let value = self.values.iter().find(|(one, _)| one == known);
            return match value {
                Some((_, value)) => Ok(Some(value.clone())),
                None => bail!("{{{word}}}: stands for nothing here"),
            };
        }
        let is_part = |part: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !part.is_empty() && part.bytes().all(allowed)
        };
        match (self.files, word.split_once('/')) {
            (Some(find), Some((image, file))) if is_part(image) && is_part(file) => {
                Ok(Some(doubled_commas(&find(word)?.to_string_lossy())))
            }
            _ => Ok(None),
        }
    }
}

/// QEMU's way to write a comma that separates nothing.
pub fn doubled_commas(text: &str) -> String {
    text.replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_and_files_are_replaced_and_other_braces_are_not() {
        let files = |name: &str| Ok(PathBuf::from(format!("/cache,1/{name}")));
        let values = Values::new([
            (Placeholder::Disks, "/d".to_owned()),
            (Placeholder::Report, "{disks}".to_owned()),
        ])
        .with_files(&files);
        for (text, expected) in [
            (
                "file={disks}/vfat,path={report}",
                "file=/d/vfat,path={disks}",
            ),
            (
                "{system-bookworm/disk.img}",
                "/cache,,1/system-bookworm/disk.img",
            ),
            ("${name} { /bin/true; } {", "${name} { /bin/true; } {"),
            ("{disks", "{disks"),
            ("", ""),
        ] {
            assert_eq!(values.expand(text).unwrap(), expected, "{text}");
        }
        let why = values.expand("-cdrom {medium}").unwrap_err();
        assert_eq!(why.to_string(), "{medium}: stands for nothing here");
        assert!(Placeholder::Disk.is_in("x={disk},y") && !Placeholder::Disk.is_in("{disks}"));
    }
}
