//! Until when a certificate is valid: the one field of X.509 that kdj looks at. Source: RFC 5280, section 4.1.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use rustls::pki_types::{CertificateDer, pem::PemObject};

const INTEGER_OR_VERSION: [u8; 2] = [0x02, 0xa0];
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When the first certificate of a PEM text expires; nothing when there is none, or it cannot be read.
pub(super) fn expiry_of_pem(pem: &[u8]) -> Option<Timestamp> {
    let first = CertificateDer::pem_slice_iter(pem).next()?.ok()?;
    expiry(&first)
}

/// When a certificate in DER expires; nothing when it cannot be read.
pub(in crate::cluster) fn expiry(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = sequence(der)?;
    let (mut fields, _) = sequence(certificate)?;
    // The version, which may be left out, and the serial number.
    while fields.first().is_some_and(|tag| INTEGER_OR_VERSION.contains(tag)) {
        fields = element(fields)?.2;
    }
    let (_, fields) = sequence(fields)?;
    let (_issuer, fields) = sequence(fields)?;
    let (validity, _) = sequence(fields)?;
    let (_, _from, rest) = element(validity)?;
    let (tag, until, _) = element(rest)?;
    time(tag, std::str::from_utf8(until).ok()?)
}

fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    let text = match tag {
        UTC_TIME if digits.len() == 12 => {
            // Two digits of a year: those from 50 on are of the last century.
            let century = if digits.get(..2)? >= "50" { "19" } else { "20" };
            format!("{century}{digits}")
        }
        GENERALIZED_TIME if digits.len() == 14 => digits.to_owned(),
        _ => return None,
    };
    let at = DateTime::strptime("%Y%m%d%H%M%S", &text).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The content of the sequence that `input` begins with, and what follows it.
fn sequence(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(input)?;
    (tag == SEQUENCE).then_some((content, rest))
}

/// Tag and content of the element that `input` begins with, and what follows it.
fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, input) = input.split_first()?;
    let (&first, mut input) = input.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (bytes, rest) = input.split_at_checked(count)?;
        length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        input = rest;
    }
    let (content, rest) = input.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn the_end_of_a_certificates_validity_is_read() {
        for (year, expected) in
            [(2027, "2027-03-04T00:00:00Z"), (2031, "2031-03-04T00:00:00Z"), (2061, "2061-03-04T00:00:00Z")]
        {
            let mut parameters = CertificateParams::new(vec!["dev".to_owned()]).unwrap();
            parameters.not_after = date_time_ymd(year, 3, 4);
            let certificate = parameters.self_signed(&KeyPair::generate().unwrap()).unwrap();
            assert_eq!(expiry(certificate.der()).unwrap().to_string(), expected);
            assert_eq!(expiry_of_pem(certificate.pem().as_bytes()).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn half_a_certificate_is_none() {
        let parameters = CertificateParams::new(vec!["dev".to_owned()]).unwrap();
        let whole = parameters.self_signed(&KeyPair::generate().unwrap()).unwrap();
        for length in 0..whole.der().len() {
            assert_eq!(expiry(&whole.der()[..length]), None, "{length}");
        }
        assert_eq!(expiry_of_pem(b"no PEM"), None);
    }
}
