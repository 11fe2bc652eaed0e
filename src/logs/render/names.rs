//! What sources are called in front of their lines: as short as it is clear.

use std::{collections::HashMap, sync::Arc};

use super::super::entry::Source;

/// The names of the sources that there are.
#[derive(Debug, Default)]
pub struct Names {
    sources: Vec<Arc<Source>>,
    /// By the address of the source, which the list keeps.
    names: HashMap<usize, String>,
    width: usize,
    changes: u64,
}

impl Names {
    /// A source joins; others may get longer names by that.
    pub fn add(&mut self, source: &Arc<Source>) {
        self.sources.push(Arc::clone(source));
        self.name_all();
    }

    /// A source has left. The others keep their names, so that nothing changes for whoever reads.
    pub fn remove(&mut self, source: &Arc<Source>) {
        self.sources.retain(|other| !Arc::ptr_eq(other, source));
        self.names.remove(&address(source));
        self.changes += 1;
    }

    /// The name of a source that is there.
    pub fn get<'a>(&'a self, source: &'a Arc<Source>) -> &'a str {
        self.names.get(&address(source)).map_or(&source.short, String::as_str)
    }

    /// How often names have changed: while this is the same, so are they.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The columns of the longest.
    pub fn width(&self) -> usize {
        self.width
    }

    fn name_all(&mut self) {
        let several_environments = self.sources.iter().any(|other| other.environment != self.sources[0].environment);
        // Which pods have a short name, and which containers a pod.
        let mut pods: HashMap<(&str, &str), Vec<&str>> = HashMap::new();
        let mut containers: HashMap<(&str, &str), Vec<&str>> = HashMap::new();
        for source in &self.sources {
            let Source { environment, pod, container, short, .. } = &**source;
            let of_short = pods.entry((environment, short)).or_default();
            if !of_short.contains(&pod.as_str()) {
                of_short.push(pod);
            }
            let of_pod = containers.entry((environment, pod)).or_default();
            if !of_pod.contains(&container.as_str()) {
                of_pod.push(container);
            }
        }
        let name = |source: &Source| {
            let Source { environment, pod, container, short, .. } = source;
            let unique = pods.get(&(environment, short)).is_none_or(|pods| pods.len() == 1);
            let alone = containers.get(&(environment, pod)).is_none_or(|containers| containers.len() == 1);
            let mut name = if several_environments { format!("{environment}:") } else { String::new() };
            name.push_str(if unique { short } else { pod });
            if !alone {
                name.push('/');
                name.push_str(container);
            }
            name
        };
        let names: HashMap<_, _> = self.sources.iter().map(|source| (address(source), name(source))).collect();
        self.width = names.values().map(|name| name.chars().count()).max().unwrap_or(0);
        self.names = names;
        self.changes += 1;
    }
}

fn address(source: &Arc<Source>) -> usize {
    Arc::as_ptr(source) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(environment: &str, pod: &str, container: &str) -> Arc<Source> {
        let parts: Vec<&str> = pod.split('-').collect();
        Arc::new(Source {
            environment: environment.into(),
            role: "web".into(),
            pod: pod.into(),
            container: container.into(),
            instance: 0,
            short: format!("{}-{}", parts[0], parts[parts.len() - 1]),
        })
    }

    #[test]
    fn names_are_as_long_as_they_must_be() {
        let mut names = Names::default();
        let first = source("qa", "web-7c9d-7k2xq", "django");
        names.add(&first);
        assert_eq!((names.get(&first), names.width()), ("web-7k2xq", 9));
        // A later run of the same container.
        names.add(&source("qa", "web-7c9d-7k2xq", "django"));
        assert_eq!(names.get(&first), "web-7k2xq");

        let proxy = source("qa", "web-7c9d-7k2xq", "istio-proxy");
        names.add(&proxy);
        assert_eq!((names.get(&first), names.get(&proxy)), ("web-7k2xq/django", "web-7k2xq/istio-proxy"));

        let twin = source("qa", "web-5f2a-7k2xq", "django");
        names.add(&twin);
        assert_eq!((names.get(&first), names.get(&twin)), ("web-7c9d-7k2xq/django", "web-5f2a-7k2xq"));

        let other = source("prod", "web-5f2a-7k2xq", "django");
        names.add(&other);
        assert_eq!((names.get(&other), names.get(&twin)), ("prod:web-7k2xq", "qa:web-5f2a-7k2xq"));
        names.remove(&other);
        assert_eq!((names.get(&twin), names.get(&other)), ("qa:web-5f2a-7k2xq", "web-7k2xq"));
    }
}
