//! PowerShell's completion, by a script of kdj's own: clap's evaluates the line that is being typed.

use std::{env, ffi::OsString, io, path::Path};

use clap_complete::env::{EnvCompleter, Powershell as Clap};

const SCRIPT: &str = include_str!("kdj.ps1");

/// PowerShell.
pub struct Powershell;

impl EnvCompleter for Powershell {
    fn name(&self) -> &'static str {
        Clap.name()
    }

    fn is(&self, name: &str) -> bool {
        Clap.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        _name: &str,
        program: &str,
        completer: &str,
        script: &mut dyn io::Write,
    ) -> Result<(), io::Error> {
        let filled = SCRIPT.replace("VAR", variable).replace("BIN", program);
        script.write_all(filled.replace("COMPLETER", &completer.replace('\'', "''")).as_bytes())
    }

    fn write_complete(
        &self,
        program: &mut clap::Command,
        mut words: Vec<OsString>,
        directory: Option<&Path>,
        answer: &mut dyn io::Write,
    ) -> Result<(), io::Error> {
        let index = env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
        // The empty word that is completed may have got lost, and no other: clap takes the last one.
        if index == Some(words.len()) {
            words.push(OsString::new());
        }
        Clap.write_complete(program, words, directory, answer)
    }
}
