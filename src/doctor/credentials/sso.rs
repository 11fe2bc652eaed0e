//! Which profiles of the AWS CLI are logged in to with `aws sso login`: those whose section of its configuration says so.
//! Source: <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html>. Pure.

/// A profile may take its credentials from another; no more steps are followed.
const STEPS: usize = 8;

/// The profile to log in with for `profile`: itself, or the one it takes its credentials from. Nothing where another way
/// leads to them: keys, a second factor, a program of somebody's own.
pub(super) fn profile_of(config: &str, profile: &str) -> Option<String> {
    let mut name = profile.to_owned();
    for _ in 0..STEPS {
        let settings = settings(config, &name);
        let value = |key: &str| settings.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
        if value("sso_session").or(value("sso_start_url")).is_some() {
            return Some(name);
        }
        name = value("source_profile")?.to_owned();
    }
    None
}

/// What stands in a profile's section.
fn settings<'a>(config: &'a str, profile: &str) -> Vec<(&'a str, &'a str)> {
    let mut is_its = false;
    let mut settings = Vec::new();
    for line in config.lines() {
        if let Some(section) = line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let section = section.trim();
            let name = section.strip_prefix("profile").filter(|rest| rest.starts_with(char::is_whitespace));
            is_its = name.map_or(section == "default" && profile == "default", |name| name.trim() == profile);
        } else if let Some((key, value)) = line.split_once('=').filter(|_| is_its) {
            settings.push((key.trim(), value.trim()));
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
[default]
region = eu-west-1
[profile acme]
sso_session = acme
[profile old]
sso_start_url=https://acme.awsapps.com/start
[profile admin]
role_arn = arn:aws:iam::1:role/admin
source_profile = acme
[profile mfa]
role_arn = arn:aws:iam::1:role/mfa
mfa_serial = arn:aws:iam::1:mfa/me
source_profile = default
[profile circle]
source_profile = circle
[sso-session acme]
sso_start_url = https://acme.awsapps.com/start
";

    #[test]
    fn a_profile_is_logged_in_to_where_its_section_says_so() {
        for (profile, expected) in [
            ("acme", Some("acme")),
            ("old", Some("old")),
            ("admin", Some("acme")),
            ("mfa", None),
            ("default", None),
            ("circle", None),
            ("none", None),
        ] {
            assert_eq!(profile_of(CONFIG, profile).as_deref(), expected, "{profile}");
        }
        assert_eq!(profile_of("[default]\nsso_session = a\n", "default").as_deref(), Some("default"));
    }
}
