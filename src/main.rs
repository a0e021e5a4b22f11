//! The program: process 1 of a machine, or a command.
// The tests' harness brings a start of its own.
#![cfg_attr(not(test), no_main)]

mod arena;
#[cfg(feature = "no-backtrace")]
mod no_backtrace;

use nix::sys::signal::Signal;
use std::ffi::{c_char, c_int};
use xenprobe::init::{self, Role};
use xenprobe::{cli, start};

// The tests' harness has threads, which the arena is not for.
#[cfg(not(test))]
#[global_allocator]
static ARENA: arena::Arena = arena::Arena::new(&FIRST);
#[cfg(not(test))]
static FIRST: arena::Chunk = arena::Chunk::new();

/// What the C library calls.
#[cfg_attr(not(test), no_mangle)]
extern "C" fn main(count: c_int, words: *const *const c_char) -> c_int {
    // SAFETY: the C library's arguments.
    let args = unsafe { start::arguments(count, words) };
    match Role::of_this_process() {
        Role::Command => {
            // A reader that leaves is an error and not an end.
            start::ignore(Signal::SIGPIPE, true);
            start::on_panic(cli::on_panic);
            if !start::has_standard() && !start::fill(start::NULL) && !start::fill_with_memory() {
                return cli::NO_VERDICT.into();
            }
            cli::run(args).into()
        }
        role => init::run(role, &args),
    }
}
