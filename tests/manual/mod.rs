//! Manuals and completions, made of tables.
#![allow(dead_code, reason = "each program has its own")]

pub mod bash;
pub mod fish;
pub mod kept;
pub mod roff;
pub mod values;
pub mod zsh;

/// The files in `docs/` of a program with options of its own, whose manual is `page`.
pub fn files(program: &values::Program, page: String) -> [(String, String); 4] {
    let name = program.name;
    [
        (format!("{name}.1"), page),
        (format!("completions/{name}.bash"), bash::program(program)),
        (format!("completions/_{name}"), zsh::program(program)),
        (format!("completions/{name}.fish"), fish::program(program)),
    ]
}
