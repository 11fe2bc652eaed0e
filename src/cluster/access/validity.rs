//! Until when a certificate is valid (RFC 5280, section 4.1): as much of DER as it takes to get there.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use rustls::pki_types::{CertificateDer, pem::PemObject};

const SEQUENCE: u8 = 0x30;
const EXPLICIT_VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When the first certificate of a PEM text expires, as far as that can be read; `None` when there is no certificate.
pub(super) fn not_after_of_pem(pem: &[u8]) -> Option<Option<Timestamp>> {
    Some(not_after(&CertificateDer::pem_slice_iter(pem).next()?.ok()?))
}

/// When a certificate in DER expires; `None` when it cannot be read.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = read(der, SEQUENCE)?;
    let (signed, _) = read(certificate, SEQUENCE)?;
    // Version, serial number, signature's algorithm, issuer: then validity.
    let mut rest = match read(signed, EXPLICIT_VERSION) {
        Some((_, rest)) => rest,
        None => signed,
    };
    for _ in 0..3 {
        (_, _, rest) = any(rest)?;
    }
    let (validity, _) = read(rest, SEQUENCE)?;
    let (_, _, after) = any(validity)?;
    let (tag, text, _) = any(after)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// `260301120000Z` or `20260301120000Z`.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    let digits = match (tag, digits.len()) {
        // Two digits of a year are of 1950 to 2049.
        (UTC_TIME, 12) if *digits >= *"50" => format!("19{digits}"),
        (UTC_TIME, 12) => format!("20{digits}"),
        (GENERALIZED_TIME, 14) => digits.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
    // `99991231235959Z` says that it does not expire, and lies beyond what a timestamp holds.
    Some(time.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |time| time.timestamp()))
}

/// What stands in an element of this tag, and what follows it.
fn read(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    any(der).filter(|(tag, ..)| *tag == wanted).map(|(_, content, rest)| (content, rest))
}

/// The first element: its tag, what stands in it, and what follows it.
fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, der) = der.split_first()?;
    let (&first, der) = der.split_first()?;
    let (length, der) = match first {
        0..=0x7f => (usize::from(first), der),
        0x81..=0x84 => {
            let (bytes, der) = der.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), der)
        }
        _ => return None,
    };
    let (content, rest) = der.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_from_a_real_certificate() {
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        for (year, expected) in [(2031, "2031-05-06T00:00:00Z"), (2051, "2051-05-06T00:00:00Z")] {
            parameters.not_after = rcgen::date_time_ymd(year, 5, 6);
            let certificate = parameters.self_signed(&key).unwrap();
            assert_eq!(not_after(certificate.der()).unwrap().to_string(), expected);
            assert_eq!(not_after_of_pem(certificate.pem().as_bytes()).unwrap().unwrap().to_string(), expected);
            let der = certificate.der();
            for end in 0..der.len().min(200) {
                let _ = not_after(&der[..end]);
            }
        }
    }

    #[test]
    fn one_may_never_expire() {
        assert_eq!(time(GENERALIZED_TIME, "99991231235959Z"), Some(Timestamp::MAX));
        assert_eq!(time(UTC_TIME, "9901010000Z"), None);
    }

    #[test]
    fn what_is_none_is_none() {
        assert_eq!(not_after(b""), None);
        assert_eq!(not_after(b"\x30\x84\xff\xff\xff\xff"), None);
        assert_eq!(not_after(b"-----BEGIN"), None);
        assert_eq!(not_after_of_pem(b"-----BEGIN"), None);
    }
}
