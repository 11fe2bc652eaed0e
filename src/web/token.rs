//! The token that is part of the page's address: only who was shown the address can look.

use std::hint::black_box;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::error::{Error, Result};

/// 192 bits: nobody guesses them.
const BYTES: usize = 24;

/// A random text, fit for an address. It is shown once, and has no `Debug`.
pub(super) struct Token(String);

impl Token {
    /// Another one each time.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn new() -> Result<Self> {
        let mut bytes = [0; BYTES];
        rustls::crypto::ring::default_provider()
            .secure_random
            .fill(&mut bytes)
            .map_err(|_| Error::failed("the system has no randomness"))?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether it is this one. How long that takes does not depend on how much of it is right.
    pub(super) fn is(&self, other: &str) -> bool {
        let (own, other) = (self.0.as_bytes(), other.as_bytes());
        own.len() == other.len()
            && black_box(own.iter().zip(other).fold(0, |different, (one, another)| different | (one ^ another))) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_new_each_time_and_is_only_itself() {
        let (one, another) = (Token::new().unwrap(), Token::new().unwrap());
        assert_eq!(one.text().len(), 32);
        assert!(one.is(one.text()) && !one.is(another.text()));
        assert!(!one.is("") && !one.is(&one.text()[1..]) && !one.is(&format!("{}A", one.text())));
        assert!(one.text().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{}", one.text());
    }
}
