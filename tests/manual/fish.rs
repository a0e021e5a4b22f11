//! fish: a `complete` for each option.

use super::values::{of, options, subcommands, Program, Values};
use xenprobe::cli::options::{CommandRow, OptionRow, COMMANDS};

const HEAD: &str = "# fish completion for xenprobe, made of its table of options
";

pub fn script() -> String {
    let mut text = HEAD.to_owned();
    let names: Vec<&str> = subcommands().map(|row| row.name).collect();
    let names = names.join(" ");
    let condition = |row: &CommandRow| match row.name {
        "" => format!("not __fish_seen_subcommand_from {names}"),
        name => format!("__fish_seen_subcommand_from {name}"),
    };
    text += "complete -c xenprobe -f\n";
    for row in subcommands() {
        let condition = condition(&COMMANDS[0]);
        text += &format!(
            "complete -c xenprobe -n '{condition}' -a {} -d {}\n",
            row.name,
            quote(row.help)
        );
    }
    for command in COMMANDS {
        let condition = condition(command);
        for row in options(command.command) {
            text += &format!(
                "complete -c xenprobe -n '{condition}'{}",
                option(row, row.help)
            );
        }
        match command.name {
            "convert" => text += &format!("complete -c xenprobe -n '{condition}' -F\n"),
            "capture" => {
                text += &format!(
                    "complete -c xenprobe -n '{condition}' -a '(__fish_complete_directories)'\n"
                );
            }
            _ => {}
        }
    }
    text
}

/// For a program with options of its own.
pub fn program(program: &Program) -> String {
    let name = program.name;
    let mut text = format!("# fish completion for {name}, made of its table of options\n");
    for word in &program.words {
        text += &format!("complete -c {name} -a {word}\n");
    }
    for (row, help) in &program.rows {
        text += &format!("complete -c {name}{}", option(row, help));
    }
    text
}

/// Its names, what completes its value, and what it does.
fn option(row: &OptionRow, help: &str) -> String {
    let mut text = String::new();
    for name in row.names() {
        text += &match name.strip_prefix("--") {
            Some(long) => format!(" -l {long}"),
            None => format!(" -s {}", &name[1..]),
        };
    }
    text += &row
        .value()
        .map_or(String::new(), |placeholder| match of(placeholder) {
            Values::Words(words) => format!(" -x -a {}", quote(&words.join(" "))),
            Values::WordsOrFiles(words) => format!(" -r -F -a {}", quote(&words.join(" "))),
            Values::Files => " -r -F".to_owned(),
            Values::Directories => " -x -a '(__fish_complete_directories)'".to_owned(),
            Values::Anything => " -x".to_owned(),
        });
    text + &format!(" -d {}\n", quote(help))
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
