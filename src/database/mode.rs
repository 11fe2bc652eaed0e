//! Whether a session may write to the databases.

/// What a session may do with the databases. A seat belt: who is in the container can do without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each transaction is read-only; the database itself refuses what writes.
    ReadOnly,
    /// As the app itself.
    ReadWrite,
}

impl Mode {
    /// What was asked for; else read-only where the environment is protected.
    pub fn decide(asked: Option<Self>, protected: bool) -> Self {
        match asked {
            Some(mode) => mode,
            None if protected => Self::ReadOnly,
            None => Self::ReadWrite,
        }
    }

    /// Whether nothing can be written.
    pub fn is_read_only(self) -> bool {
        self == Self::ReadOnly
    }

    /// As a banner and a prompt have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::ReadWrite => "read-write",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protected_environment_is_read_only_unless_asked_otherwise() {
        for (protected, asked, expected) in [
            (false, None, Mode::ReadWrite),
            (true, None, Mode::ReadOnly),
            (false, Some(Mode::ReadOnly), Mode::ReadOnly),
            (true, Some(Mode::ReadWrite), Mode::ReadWrite),
        ] {
            assert_eq!(Mode::decide(asked, protected), expected, "{protected} {asked:?}");
        }
    }
}
