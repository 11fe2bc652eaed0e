//! Which command of a cloud a credential plugin rests on, how to see whether that is logged in, and how to log in. Pure.

use std::path::Path;

use crate::cluster::PluginFacts;

/// A cloud's command, as one plugin rests on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CloudLogin {
    /// The words that succeed when it is logged in. What they print is not looked at: it may be a token.
    pub(super) status: Vec<String>,
    /// The words that log in.
    pub(super) login: Vec<String>,
    /// The variables that the plugin is given, and the command needs, too.
    pub(super) variables: Vec<(String, String)>,
    /// How to get the command.
    pub(super) install: &'static str,
}

/// The cloud's command that this plugin rests on, if it is one that is known.
pub(super) fn of(plugin: &PluginFacts) -> Option<CloudLogin> {
    let name = Path::new(&plugin.command).file_name()?.to_str()?;
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let option = |name: &str| option(&plugin.arguments, name);
    let variable =
        |name: &str| plugin.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let (mut status, mut login, install) = match name {
        "aws" | "aws-iam-authenticator" => {
            let login = (words("aws sts get-caller-identity"), words("aws sso login"));
            (login.0, login.1, "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html")
        }
        "gke-gcloud-auth-plugin" => {
            let own = plugin.arguments.iter().any(|word| word.starts_with("--use_application_default_credentials"));
            let account = if own { "application-default " } else { "" };
            let status = words(&format!("gcloud auth {account}print-access-token"));
            (status, words(&format!("gcloud auth {account}login")), "https://cloud.google.com/sdk/docs/install")
        }
        "kubelogin" if option("--login").or(option("-l")).as_deref() == Some("azurecli") => {
            (words("az account show"), words("az login"), "https://learn.microsoft.com/cli/azure/install-azure-cli")
        }
        "tsh" => (words("tsh status"), words("tsh login"), "https://goteleport.com/docs/installation/"),
        _ => return None,
    };
    let mut add = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            for line in [&mut status, &mut login] {
                line.extend([flag.to_owned(), value.clone()]);
            }
        }
    };
    match name {
        "aws" | "aws-iam-authenticator" => add("--profile", option("--profile").or(variable("AWS_PROFILE"))),
        "tsh" => add("--proxy", option("--proxy")),
        _ => {}
    }
    Some(CloudLogin { status, login, variables: plugin.variables.clone(), install })
}

/// The value of an option, however it is written: `--profile acme`, `--profile=acme`.
fn option(arguments: &[String], name: &str) -> Option<String> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == name {
            return words.next().cloned();
        }
        if let Some(value) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_plugin_has_the_login_of_its_cloud() {
        for (line, variable, expected) in [
            (
                "aws --region eu-west-1 eks get-token --cluster-name a --profile acme",
                "",
                "aws sts get-caller-identity --profile acme; aws sso login --profile acme",
            ),
            (
                "/opt/aws eks get-token",
                "acme-qa",
                "aws sts get-caller-identity --profile acme-qa; aws sso login --profile acme-qa",
            ),
            ("gke-gcloud-auth-plugin", "", "gcloud auth print-access-token; gcloud auth login"),
            (
                "gke-gcloud-auth-plugin --use_application_default_credentials",
                "",
                "gcloud auth application-default print-access-token; gcloud auth application-default login",
            ),
            ("kubelogin get-token --login azurecli --server-id x", "", "az account show; az login"),
            ("kubelogin get-token --login devicecode", "", "none"),
            ("kubelogin get-token --oidc-issuer-url=https://a", "", "none"),
            (
                "tsh kube credentials --proxy=tele.acme.dev:443 --kube-cluster=a",
                "",
                "tsh status --proxy tele.acme.dev:443; tsh login --proxy tele.acme.dev:443",
            ),
            ("acme-login", "", "none"),
        ] {
            let mut words = line.split(' ').map(str::to_owned);
            let plugin = PluginFacts {
                command: words.next().unwrap(),
                arguments: words.collect(),
                variables: Some(("AWS_PROFILE".to_owned(), variable.to_owned()))
                    .filter(|_| !variable.is_empty())
                    .into_iter()
                    .collect(),
                shown: String::new(),
                api_version: None,
                known_version: true,
                install_hint: None,
                always_asks: false,
            };
            let seen = of(&plugin).map(|login| format!("{}; {}", login.status.join(" "), login.login.join(" ")));
            assert_eq!(seen.as_deref().unwrap_or("none"), expected);
        }
    }
}
