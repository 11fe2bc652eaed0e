//! Which command of a cloud a credential plugin rests on, how to see whether that is logged in, and how to log in.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::sso;
use crate::cluster::PluginFacts;

/// Variables that say which account is meant, and hold no secret: who logs in needs them, too.
const WHERE: [&str; 7] = [
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_REGION",
    "CLOUDSDK_CONFIG",
    "CLOUDSDK_ACTIVE_CONFIG_NAME",
    "AZURE_CONFIG_DIR",
    "TELEPORT_HOME",
];
/// Whom a token for AKS is for, on every cluster. Source: <https://azure.github.io/kubelogin/concepts/aks.html>.
const AKS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// A cloud's command, as one plugin rests on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CloudLogin {
    /// The words that succeed when it is logged in. What they print is not looked at: it may be a token.
    pub(super) status: Vec<String>,
    /// The words to type when it is not.
    pub(super) remedy: Vec<String>,
    /// Whether those log in; else they show where the credentials should come from.
    pub(super) logs_in: bool,
    /// Whether the plugin cannot do without the command.
    pub(super) needed: bool,
    /// The variables that the plugin is given, and the command needs, too.
    pub(super) variables: Vec<(String, String)>,
    /// How to get the command.
    pub(super) install: &'static str,
}

/// The name that a plugin goes by: `aws` for `/opt/bin/aws`.
pub(super) fn name_of(plugin: &PluginFacts) -> &str {
    let name = Path::new(&plugin.command).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_suffix(".exe").unwrap_or(name)
}

/// The cloud's command that this plugin rests on, if it is one that is known.
pub(super) fn find(plugin: &PluginFacts) -> Option<CloudLogin> {
    of(plugin, &|name| given(plugin, name).or_else(|| env::var(name).ok()), &|path| {
        fs::read_to_string(path).unwrap_or_default()
    })
}

/// A variable that the kubeconfig gives it.
fn given(plugin: &PluginFacts, name: &str) -> Option<String> {
    plugin.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

/// The same, with a way to ask for a variable and to read a file.
fn of(
    plugin: &PluginFacts,
    variable: &dyn Fn(&str) -> Option<String>,
    read: &dyn Fn(&Path) -> String,
) -> Option<CloudLogin> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let option = |name: &str| option(&plugin.arguments, name);
    let mut login = CloudLogin {
        status: Vec::new(),
        remedy: Vec::new(),
        logs_in: true,
        needed: true,
        variables: plugin.variables.clone(),
        install: "",
    };
    match name_of(plugin) {
        name @ ("aws" | "aws-iam-authenticator") => {
            let profile = option("--profile").or_else(|| given(plugin, "AWS_PROFILE"));
            let file = variable("AWS_CONFIG_FILE").map(PathBuf::from);
            let file = file.or_else(|| Some(dirs::home_dir()?.join(".aws/config"))).unwrap_or_default();
            let asked = profile.clone().or_else(|| variable("AWS_PROFILE"));
            let sso = sso::profile_of(&read(&file), asked.as_deref().unwrap_or("default"));
            login.status = words("aws sts get-caller-identity");
            login.remedy = words(if sso.is_some() { "aws sso login" } else { "aws configure list" });
            (login.logs_in, login.needed) = (sso.is_some(), name == "aws");
            let of_status = [("--profile", profile.clone()), ("--region", option("--region"))];
            add(&mut login.status, of_status);
            add(&mut login.remedy, [("--profile", sso.filter(|name| name != "default").or(profile))]);
            login.install = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html";
        }
        "gke-gcloud-auth-plugin" => {
            let own = plugin.arguments.iter().any(|word| word.starts_with("--use_application_default_credentials"));
            let account = if own { "application-default " } else { "" };
            login.status = words(&format!("gcloud auth {account}print-access-token"));
            login.remedy = words(&format!("gcloud auth {account}login"));
            login.needed = !own;
            login.install = "https://cloud.google.com/sdk/docs/install";
        }
        "kubelogin" if option("--login").or(option("-l")).as_deref() == Some("azurecli") => {
            // `az account show` only reads a file: it succeeds long after the login has expired.
            login.status = words("az account get-access-token --output none --resource");
            login.status.push(option("--server-id").unwrap_or_else(|| AKS.to_owned()));
            login.remedy = words("az login");
            login.install = "https://learn.microsoft.com/cli/azure/install-azure-cli";
        }
        "tsh" => {
            (login.status, login.remedy) = (words("tsh status"), words("tsh login"));
            for line in [&mut login.status, &mut login.remedy] {
                add(line, [("--proxy", option("--proxy"))]);
            }
            login.install = "https://goteleport.com/docs/installation/";
        }
        _ => return None,
    }
    // Where the plugin is the cloud's command itself, it need not be the one in PATH.
    for line in [&mut login.status, &mut login.remedy] {
        if let Some(first) = line.first_mut().filter(|first| **first == name_of(plugin)) {
            first.clone_from(&plugin.command);
        }
    }
    let meant = plugin.variables.iter().filter(|(name, _)| WHERE.contains(&name.as_str()));
    let meant: Vec<String> = meant.map(|(name, value)| format!("{name}={value}")).collect();
    if !meant.is_empty() {
        login.remedy.splice(0..0, ["env".to_owned()].into_iter().chain(meant));
    }
    Some(login)
}

fn add<const N: usize>(line: &mut Vec<String>, options: [(&str, Option<String>); N]) {
    for (flag, value) in options {
        line.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value]));
    }
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
                "aws sts get-caller-identity --profile acme --region eu-west-1; aws sso login --profile acme",
            ),
            (
                "/opt/aws eks get-token",
                "AWS_PROFILE=acme-qa",
                "/opt/aws sts get-caller-identity --profile acme-qa; /opt/aws configure list --profile acme-qa",
            ),
            (
                "aws-iam-authenticator token -i acme",
                "AWS_CONFIG_FILE=/etc/acme",
                "aws sts get-caller-identity; env AWS_CONFIG_FILE=/etc/acme aws configure list",
            ),
            ("gke-gcloud-auth-plugin", "", "gcloud auth print-access-token; gcloud auth login"),
            (
                "gke-gcloud-auth-plugin --use_application_default_credentials",
                "",
                "gcloud auth application-default print-access-token; gcloud auth application-default login",
            ),
            (
                "kubelogin.exe get-token --login azurecli --server-id x",
                "AZURE_CONFIG_DIR=/a",
                "az account get-access-token --output none --resource x; env AZURE_CONFIG_DIR=/a az login",
            ),
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
                variables: variable
                    .split_once('=')
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into_iter()
                    .collect(),
                shown: String::new(),
                api_version: None,
                known_version: true,
                install_hint: None,
                always_asks: false,
            };
            let config = |path: &Path| match path.ends_with(".aws/config") {
                true => "[profile acme]\nsso_session = acme\n".to_owned(),
                false => String::new(),
            };
            let seen = of(&plugin, &|name| given(&plugin, name), &config);
            let seen = seen.map(|login| format!("{}; {}", login.status.join(" "), login.remedy.join(" ")));
            assert_eq!(seen.as_deref().unwrap_or("none"), expected);
        }
    }
}
