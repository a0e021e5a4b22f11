//! bash: a function that fills COMPREPLY.

use super::values::{of, options, subcommands, Values};
use xenprobe::cli::options::{CommandRow, COMMANDS, OPTIONS};

const HEAD: &str = "# bash completion for xenprobe, made of its table of options

_xenprobe()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=\"\" files=() index
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        case ${COMP_WORDS[index]} in
";

pub fn script() -> String {
    let mut text = HEAD.to_owned();
    let names: Vec<&str> = subcommands().map(|row| row.name).collect();
    text += &format!(
        "            {}) command=${{COMP_WORDS[index]}} ;;\n",
        names.join(" | ")
    );
    // All words behind it are reports.
    text += "            --report) files=(-f) ;;\n";
    text += "        esac\n    done\n    case $command,$before in\n";
    for row in OPTIONS {
        let Some(value) = row.value() else { continue };
        // An option's letter may mean something else to another subcommand.
        let with_command = |command: &CommandRow| {
            let names = row.names().map(|name| format!("{},{name}", command.name));
            names.collect::<Vec<_>>().join(" | ")
        };
        let of_commands = COMMANDS.iter().filter(|command| row.is_of(command.command));
        let patterns: Vec<String> = of_commands.map(with_command).collect();
        let reply = match of(value) {
            Values::Words(words) => compgen(&format!("-W '{}'", words.join(" "))),
            Values::WordsOrFiles(words) => compgen(&format!("-f -W '{}'", words.join(" "))),
            Values::Files => compgen("-f"),
            Values::Directories => compgen("-d"),
            Values::Anything => "return".to_owned(),
        };
        text += &format!("        {}) {reply} ;;\n", patterns.join(" | "));
    }
    text += "    esac\n    case $command in\n";
    for row in COMMANDS {
        let options = options(row.command).flat_map(|row| row.names());
        let mut words: Vec<&str> = options.collect();
        let reply = match row.name {
            "" => {
                words.extend(&names);
                compgen(&format!("\"${{files[@]}}\" -W '{}'", words.join(" ")))
            }
            "boot" => compgen(&format!("\"${{files[@]}}\" -W '{}'", words.join(" "))),
            "convert" => compgen("-f"),
            "capture" => compgen(&format!("-d -W '{}'", words.join(" "))),
            _ => compgen(&format!("-W '{}'", words.join(" "))),
        };
        text += &format!("        '{}') {reply} ;;\n", row.name);
    }
    text + "    esac\n} && complete -o filenames -F _xenprobe xenprobe\n"
}

fn compgen(how: &str) -> String {
    format!("mapfile -t COMPREPLY < <(compgen {how} -- \"$word\"); return")
}
