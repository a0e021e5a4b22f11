//! zsh: specifications for `_arguments`.

use super::values::{of, options, subcommands, Program, Values};
use xenprobe::cli::options::{Command, CommandRow, OptionRow};

const HEAD: &str = "#compdef xenprobe
# zsh completion for xenprobe, made of its table of options

_xenprobe() {
    local context state state_descr line
    typeset -A opt_args
";

pub fn script() -> String {
    let mut text = HEAD.to_owned();
    text += "    _arguments -C \\\n";
    for row in options(Command::Verdict) {
        text += &specifications(row, row.help, "        ");
    }
    text += "        '1:subcommand:->subcommand' \\\n        '*::argument:->argument'\n";
    text += "    case $state in\n        subcommand)\n            local -a subcommands=(\n";
    for row in subcommands() {
        text += &format!(
            "                {}\n",
            quote(&format!("{}:{}", row.name, row.help))
        );
    }
    text += "            )\n            _describe subcommand subcommands\n            ;;\n";
    text += "        argument)\n            case $line[1] in\n";
    for row in subcommands() {
        text += &format!(
            "                {})\n{}                    ;;\n",
            row.name,
            subcommand(row)
        );
    }
    text + "            esac\n            ;;\n    esac\n}\n\n_xenprobe \"$@\"\n"
}

fn subcommand(row: &CommandRow) -> String {
    const INDENT: &str = "                        ";
    let mut text = "                    _arguments \\\n".to_owned();
    for option in options(row.command) {
        text += &specifications(option, option.help, INDENT);
    }
    match row.command {
        Command::Convert => text += &format!("{INDENT}'*:file:_files'\n"),
        Command::Capture => text += &format!("{INDENT}'1:directory:_directories'\n"),
        _ => {
            let end = text.trim_end_matches(" \\\n").len();
            text.truncate(end);
            text.push('\n');
        }
    }
    text
}

/// For a program with options of its own.
pub fn program(program: &Program) -> String {
    const INDENT: &str = "    ";
    let name = program.name;
    let mut text = format!("#compdef {name}\n# zsh completion for {name}, made of its table of options\n\n_arguments \\\n");
    for (row, help) in &program.rows {
        text += &specifications(row, help, INDENT);
    }
    let files = match program.words.as_slice() {
        [] => "_files".to_owned(),
        words => format!(
            " _alternative \"words:word:({})\" files:file:_files",
            words.join(" ")
        )
        .replace(':', "\\:"),
    };
    text + &format!("{INDENT}{}\n", quote(&format!("*:file:{files}")))
}

/// One for each name.
fn specifications(row: &OptionRow, help: &str, indent: &str) -> String {
    let help = help.replace('[', "\\[").replace(']', "\\]");
    let value = row.value().map_or(String::new(), |placeholder| {
        let action = match of(placeholder) {
            Values::Words(words) => format!("({})", words.join(" ")),
            Values::WordsOrFiles(words) => {
                format!(
                    " _alternative \"sinks:sink:({})\" files:file:_files",
                    words.join(" ")
                )
            }
            Values::Files => "_files".to_owned(),
            Values::Directories => "_directories".to_owned(),
            Values::Anything => " ".to_owned(),
        };
        let name = placeholder.replace('[', "\\[").replace(']', "\\]");
        // A colon would begin another argument.
        format!(":{name}:{}", action.replace(':', "\\:"))
    });
    let mut text = String::new();
    for name in row.names() {
        // A letter that is given again means something else, and outputs add up.
        let star = if repeats(row) { "*" } else { "" };
        text += &format!(
            "{indent}{} \\\n",
            quote(&format!("{star}{name}[{help}]{value}"))
        );
    }
    text
}

fn repeats(row: &OptionRow) -> bool {
    ["given", "may be given again"]
        .iter()
        .any(|words| row.help.contains(words))
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
