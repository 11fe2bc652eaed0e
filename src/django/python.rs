//! Code for the container's Python alone, without Django.

use super::manage::{PYTHON, Start};
use crate::{environment::DjangoSettings, script::terse};

/// Reads a line with the length of the code, then the code, and runs it. What follows on stdin is left to it, unread.
const BOOT: &str = "import sys\nf=open(0,'rb',0,closefd=False)\nn=int(f.readline())\nc=b''\nwhile len(c)<n:\n p=f.read(n-len(c))\n if not p: sys.exit(1)\n c+=p\nexec(compile(c,'<kdj>','exec'),{'__name__':'kdj'})";

/// Runs code that comes on stdin, and what to send there before anything else.
pub fn python_on_stdin(settings: &DjangoSettings, code: &str) -> (Start, Vec<u8>) {
    let manage = settings.manage.as_deref().unwrap_or_default();
    let first = manage.first().cloned().unwrap_or_default();
    // What finds Python reads these words where it finds those of a management command.
    let workdir = settings.workdir.clone().unwrap_or_default();
    let words = ["sh", "-c", &terse(PYTHON), "kdj", BOOT, "python", &workdir, "", &manage.len().to_string(), &first];
    let own = manage.first().filter(|first| first.rsplit('/').next().is_some_and(|name| name.starts_with("python")));
    let plain = own.map(String::as_str).into_iter().chain(["python3", "python"]);
    let plain = plain.map(|python| [python, "-c", BOOT].map(str::to_owned).to_vec());
    let alternatives = std::iter::once(words.map(str::to_owned).to_vec()).chain(plain).collect();
    let mut stdin = format!("{}\n", code.len()).into_bytes();
    stdin.extend_from_slice(code.as_bytes());
    (Start { alternatives }, stdin)
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    use super::*;

    #[test]
    fn the_code_gets_what_follows_it() {
        let (start, stdin) =
            python_on_stdin(&DjangoSettings::default(), "import os\nprint(os.read(0, 99).decode() + __name__)\n");
        for words in &start.alternatives[..2] {
            let mut child =
                Command::new(&words[0]).args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(&[&stdin[..], b"rest "].concat()).unwrap();
            let output = child.wait_with_output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), "rest kdj\n", "{words:?}");
        }
    }
}
