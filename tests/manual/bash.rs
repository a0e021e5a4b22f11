//! bash: a function that fills COMPREPLY.

use super::values::{of, options, subcommands, Program, Values};
use xenprobe::cli::options::{CommandRow, OptionRow, COMMANDS, CONVERT_OPTIONS, OPTIONS};

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
    for row in OPTIONS.iter().chain(CONVERT_OPTIONS) {
        let Some(reply) = reply(row) else { continue };
        // An option's letter may mean something else to another subcommand.
        let with_command = |command: &CommandRow| {
            let names = row.names().map(|name| format!("{},{name}", command.name));
            names.collect::<Vec<_>>().join(" | ")
        };
        let of_commands = COMMANDS.iter().filter(|command| row.is_of(command.command));
        let patterns: Vec<String> = of_commands.map(with_command).collect();
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
            "convert" => compgen(&format!("-f -W '{}'", words.join(" "))),
            "capture" => compgen(&format!("-d -W '{}'", words.join(" "))),
            _ => compgen(&format!("-W '{}'", words.join(" "))),
        };
        text += &format!("        '{}') {reply} ;;\n", row.name);
    }
    text + "    esac\n} && complete -o filenames -F _xenprobe xenprobe\n"
}

/// For a program with options of its own.
pub fn program(program: &Program) -> String {
    let (name, function) = (program.name, program.name.replace('-', "_"));
    let mut text = format!(
        "# bash completion for {name}, made of its table of options

_{function}()
{{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    COMPREPLY=()
    case $before in
"
    );
    for (row, _) in &program.rows {
        let Some(reply) = reply(row) else { continue };
        let names: Vec<&str> = row.names().collect();
        text += &format!("        {}) {reply} ;;\n", names.join(" | "));
    }
    let names = program.rows.iter().flat_map(|row| row.0.names());
    let words: Vec<&str> = names.chain(program.words.iter().copied()).collect();
    let files = compgen(&format!("-f -W '{}'", words.join(" ")));
    text += &format!("    esac\n    {files}\n}} && complete -o filenames -F _{function} {name}\n");
    text
}

/// What completes the value of an option that has one.
fn reply(row: &OptionRow) -> Option<String> {
    Some(match of(row.value()?) {
        Values::Words(words) => compgen(&format!("-W '{}'", words.join(" "))),
        Values::WordsOrFiles(words) => compgen(&format!("-f -W '{}'", words.join(" "))),
        Values::Files => compgen("-f"),
        Values::Directories => compgen("-d"),
        Values::Anything => "return".to_owned(),
    })
}

fn compgen(how: &str) -> String {
    format!("mapfile -t COMPREPLY < <(compgen {how} -- \"$word\"); return")
}
