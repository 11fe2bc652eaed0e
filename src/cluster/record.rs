//! What the cluster is told of a change, and what it says of others: Events in the namespace. And whom it takes the user
//! for.

use std::fmt;

use k8s_openapi::{
    api::{
        authentication::v1::SelfSubjectReview,
        core::v1::{Event as KubeEvent, EventSource, ObjectReference},
    },
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
    jiff::Timestamp,
};
use kube::{
    Api,
    api::{ListParams, PostParams},
};

use super::{
    Cluster, MANAGED_BY, RECORD, Target,
    request::{error, repeatable, unrepeatable},
};
use crate::error::Result;

/// What the API takes in a message.
const LONGEST_MESSAGE: usize = 1024;

/// What a change is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Involved {
    /// A pod.
    Pod {
        /// Its name.
        name: String,
        /// Its uid, if known.
        uid: String,
    },
    /// A Job, by name.
    Job(String),
    /// A workload or another object of the namespace: `deployment/web`.
    Other(String),
}

impl From<&Target> for Involved {
    fn from(target: &Target) -> Self {
        Involved::Pod { name: target.pod.clone(), uid: target.pod_uid.clone() }
    }
}

impl fmt::Display for Involved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Involved::Pod { name, .. } => write!(f, "pod/{name}"),
            Involved::Job(name) => write!(f, "job/{name}"),
            Involved::Other(name) => f.write_str(name),
        }
    }
}

impl Involved {
    /// Whether it is a Job.
    pub fn is_job(&self) -> bool {
        matches!(self, Involved::Job(_))
    }

    fn reference(&self, namespace: &str) -> ObjectReference {
        let (api_version, kind, name, uid) = match self {
            Involved::Pod { name, uid } => ("v1", "Pod", name.as_str(), Some(uid.clone())),
            Involved::Job(name) => ("batch/v1", "Job", name.as_str(), None),
            Involved::Other(name) => match name.split_once('/') {
                Some(("deployment", name)) => ("apps/v1", "Deployment", name, None),
                Some(("statefulset", name)) => ("apps/v1", "StatefulSet", name, None),
                _ => ("v1", "Namespace", namespace, None),
            },
        };
        ObjectReference {
            api_version: Some(api_version.to_owned()),
            kind: Some(kind.to_owned()),
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            uid: uid.filter(|uid| !uid.is_empty()),
            ..ObjectReference::default()
        }
    }
}

/// An Event to write.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// What joins the Events of one change.
    pub id: &'a str,
    /// The namespace.
    pub namespace: &'a str,
    /// What it is about.
    pub involved: &'a Involved,
    /// The verb; the Event's reason is made from it.
    pub verb: &'a str,
    /// Whether the change is over.
    pub ended: bool,
    /// One line for who lists Events.
    pub message: String,
    /// Where kdj runs.
    pub host: &'a str,
    /// The record, for kdj.
    pub record: String,
}

/// What an Event holds. Whoever may create Events can write one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// What joins the Events of one change.
    pub id: String,
    /// Whether it tells of the change's end.
    pub ended: bool,
    /// When the cluster got it.
    pub written: Timestamp,
    /// The record.
    pub record: String,
}

impl Cluster {
    /// Whom the cluster takes the user for: one request. `None` when it does not say.
    pub async fn who(&self) -> Option<String> {
        let api = Api::<SelfSubjectReview>::all(self.client.clone());
        let review = SelfSubjectReview::default();
        let parameters = PostParams::default();
        let attempt = || api.create(&parameters, &review);
        let answer = repeatable("create selfsubjectreviews", &self.place, &self.observer, attempt).await;
        answer.ok()?.status?.user_info?.username.filter(|name| !name.is_empty())
    }

    /// Writes an Event: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    pub async fn record_event(&self, event: Event<'_>) -> Result<()> {
        let api = Api::<KubeEvent>::namespaced(self.client.clone(), event.namespace);
        let event = manifest(event, Timestamp::now());
        let parameters = PostParams::default();
        let (api, event, parameters) = (&api, &event, &parameters);
        let attempt = || async move {
            match api.create(parameters, event).await {
                // The name is kdj's own: an earlier attempt went through.
                Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
                answer => answer.map(drop),
            }
        };
        repeatable("create events", &self.place, &self.observer, attempt).await
    }

    /// The records that Events of a namespace hold, where they are what kdj would have written: one request. `None` when the user may not list Events.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses for another reason.
    pub async fn recorded(&self, namespace: &str) -> Result<Option<Vec<RecordedEvent>>> {
        let api = Api::<KubeEvent>::namespaced(self.client.clone(), namespace);
        let (label, value) = MANAGED_BY;
        let parameters = ListParams::default().labels(&format!("{label}={value}"));
        let attempt = || api.list(&parameters);
        match unrepeatable("list events", &self.place, &self.observer, attempt).await? {
            Ok(events) => Ok(Some(events.items.into_iter().filter_map(record_of).collect())),
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(None),
            Err(failure) => Err(error::explain(failure, "list events", &self.place)),
        }
    }
}

/// What [`manifest`] has put into it. By its name an Event is the only one of its change and phase.
fn record_of(event: KubeEvent) -> Option<RecordedEvent> {
    let metadata = event.metadata;
    let id = metadata.labels?.remove(RECORD)?;
    let ended = [false, true].into_iter().find(|ended| metadata.name.as_ref() == Some(&event_name(&id, *ended)))?;
    let written = metadata.creation_timestamp?.0;
    Some(RecordedEvent { id, ended, written, record: metadata.annotations?.remove(RECORD)? })
}

fn event_name(id: &str, ended: bool) -> String {
    format!("kdj-{id}-{}", if ended { "end" } else { "begin" })
}

fn manifest(event: Event<'_>, now: Timestamp) -> KubeEvent {
    let Event { id, namespace, involved, verb, ended, message, host, record } = event;
    let (managed_by, kdj) = MANAGED_BY;
    let labels = [(managed_by, kdj), (RECORD, id)].map(|(key, value)| (key.to_owned(), value.to_owned()));
    KubeEvent {
        metadata: ObjectMeta {
            name: Some(event_name(id, ended)),
            namespace: Some(namespace.to_owned()),
            labels: Some(labels.into()),
            annotations: Some([(RECORD.to_owned(), record)].into()),
            ..ObjectMeta::default()
        },
        involved_object: involved.reference(namespace),
        reason: Some(reason(verb)),
        message: Some(shortened(message)),
        type_: Some("Normal".to_owned()),
        action: Some(verb.to_owned()),
        count: Some(1),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        source: Some(EventSource { component: Some("kdj".to_owned()), host: Some(host.to_owned()) }),
        reporting_component: Some("kdj".to_owned()),
        reporting_instance: Some(host.to_owned()),
        ..KubeEvent::default()
    }
}

/// `KdjShell`.
fn reason(verb: &str) -> String {
    let mut letters = verb.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().fold("Kdj".to_owned(), |reason, letter| reason + &letter.to_string()) + letters.as_str()
}

fn shortened(message: String) -> String {
    if message.len() <= LONGEST_MESSAGE {
        return message;
    }
    let end = (0..=LONGEST_MESSAGE - 3).rev().find(|end| message.is_char_boundary(*end)).unwrap_or(0);
    format!("{}...", &message[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_about_its_pod_and_findable() {
        let involved = Involved::Pod { name: "web-1".into(), uid: "u1".into() };
        let event = Event {
            id: "0a",
            namespace: "shop",
            involved: &involved,
            verb: "shell",
            ended: true,
            message: "ä".repeat(LONGEST_MESSAGE),
            host: "laptop",
            record: "{}".into(),
        };
        let event = manifest(event, Timestamp::UNIX_EPOCH);
        assert_eq!(event.metadata.name.as_deref(), Some("kdj-0a-end"));
        assert_eq!(event.reason.as_deref(), Some("KdjShell"));
        assert_eq!(event.involved_object.uid.as_deref(), Some("u1"));
        assert!(event.message.unwrap().len() <= LONGEST_MESSAGE);
    }

    #[test]
    fn only_what_kdj_would_have_written_is_read() {
        let read = |change: fn(&mut KubeEvent)| {
            let involved = Involved::Job("run-1".into());
            let (message, host, record) = (String::new(), "laptop", "{}".to_owned());
            let event = Event {
                id: "0a",
                namespace: "shop",
                involved: &involved,
                verb: "run",
                ended: true,
                message,
                host,
                record,
            };
            let mut event = manifest(event, Timestamp::UNIX_EPOCH);
            event.metadata.creation_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
            change(&mut event);
            record_of(event)
        };
        let expected =
            RecordedEvent { id: "0a".into(), ended: true, written: Timestamp::UNIX_EPOCH, record: "{}".into() };
        assert_eq!(read(|_| ()), Some(expected));
        for forge in [
            |event: &mut KubeEvent| event.metadata.name = Some("kdj-0a-end2".into()),
            |event: &mut KubeEvent| event.metadata.name = Some("another".into()),
            |event: &mut KubeEvent| drop(event.metadata.labels.as_mut().unwrap().insert(RECORD.into(), "0b".into())),
            |event: &mut KubeEvent| event.metadata.labels = None,
        ] {
            assert_eq!(read(forge), None);
        }
    }

    #[test]
    fn what_is_no_pod_is_named_by_its_kind() {
        let kind = |involved: Involved| involved.reference("shop").kind.unwrap();
        assert_eq!(kind(Involved::Job("run-1".into())), "Job");
        assert_eq!(kind(Involved::Other("deployment/web".into())), "Deployment");
        assert_eq!(kind(Involved::Other("something".into())), "Namespace");
    }
}
