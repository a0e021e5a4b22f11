//! A sink as it is written: `SINK[,format=NAME]`. A comma that belongs to a path may be written `\\,`, and has to be
//! where what follows it would be taken for an option.

use super::Target;
use crate::error::Error;
use crate::nearest::{nearest, suggestion};
use crate::render::{self, Format};
use std::path::Path;

/// The one option that a sink has.
const FORMAT: &str = "format";

/// What ends the names of files in these formats.
const EXTENSIONS: &[(&str, &str)] = &[("json", "json"), ("prom", "prometheus"), ("txt", "text")];

/// Takes the options off. What looks like one and is none is an error, which says what was probably meant.
pub fn parse(text: &str) -> Result<(String, Option<&'static Format>), Error> {
    let mut spec = text;
    let mut format = None;
    while let Some((before, word)) = spec.rsplit_once(',') {
        if before.ends_with('\\') {
            break;
        }
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        if name == FORMAT && name != word {
            if format.replace(Format::parse(value)?).is_some() {
                return Err(Error::new(text, "has two formats"));
            }
            spec = before;
            continue;
        }
        let names = render::FORMATS.iter().map(|format| format.name);
        let meant = match nearest(name, [FORMAT]) {
            Some(_) => Some(",format=NAME".to_owned()),
            None if name == word => nearest(name, names).map(|name| [",format=", name].concat()),
            None => None,
        };
        let is_option = name != word && !word.contains('/');
        if is_option || meant.is_some() {
            let what = [
                ",",
                word,
                " is no option of a sink (\\, is a comma in a path)",
            ]
            .concat();
            return Err(Error::new(
                before,
                [&what[..], &suggestion(meant.as_deref())].concat(),
            ));
        }
        break;
    }
    Ok((spec.replace("\\,", ","), format))
}

/// The format that the name of a file tells.
pub fn format_by_name(target: &Target) -> Option<&'static Format> {
    let (Target::File(path) | Target::Path(path) | Target::FileSystem(_, path)) = target else {
        return None;
    };
    let extension = Path::new(path).extension()?;
    let mut rows = EXTENSIONS.iter();
    let row = rows.find(|row| extension.eq_ignore_ascii_case(row.0))?;
    render::by_name(row.1)
}
