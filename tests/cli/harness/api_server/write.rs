//! Objects that are made, changed and deleted.

use serde_json::{Value, json};

use super::{State, http::Response, request::Recorded, route::Target, status, store::now};

/// POST: the object is stored, with what a server adds. `dryRun=All` stores nothing.
pub fn create(request: &Recorded, target: &Target<'_>, state: &mut State) -> Response {
    let (kind, namespace) = (target.kind, target.namespace.unwrap_or_default());
    let mut object = request.json();
    let metadata = &mut object["metadata"];
    if !metadata.is_object() {
        return refuse(400, "BadRequest", "the body is no object");
    }
    if metadata["namespace"].as_str().is_some_and(|named| named != namespace) {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return refuse(400, "BadRequest", message);
    }
    if kind.namespaced && state.store.objects().get("namespaces", "", namespace).is_none() {
        return Response::json(404, &status::not_found("namespaces", namespace));
    }
    if let (Value::Null, Some(prefix)) = (&metadata["name"], metadata["generateName"].as_str()) {
        metadata["name"] = json!(format!("{prefix}{:05x}", state.store.revision()));
    }
    let Some(name) = metadata["name"].as_str().map(str::to_owned) else {
        return refuse(422, "Invalid", "metadata.name: Required value: name or generateName is required");
    };
    if state.store.objects().get(kind.resource, namespace, &name).is_some() {
        return Response::json(409, &status::already_exists(&kind.full_name(), &name));
    }
    if kind.namespaced {
        metadata["namespace"] = json!(namespace);
    }
    metadata["uid"] = json!(format!("uid-{}-{name}", state.store.revision()));
    metadata["creationTimestamp"] = json!(now());
    match kind.resource {
        "jobs" => complete_job(&mut object),
        "events" => complete_event(&mut object),
        _ => {}
    }
    if request.is_dry_run() {
        return Response::json(201, &kind.typed(&object));
    }
    state.store.change(|objects| objects.add_json(kind.resource, object));
    let Some(stored) = state.store.objects().get(kind.resource, namespace, &name) else {
        return refuse(500, "InternalError", "the object was not stored");
    };
    let answer = Response::json(201, &kind.typed(stored));
    if kind.resource == "jobs" {
        let job = stored.clone();
        state.start_run(job);
    }
    answer
}

/// What the cluster adds to a Job: by these labels its pods are found.
fn complete_job(job: &mut Value) {
    let uid = job["metadata"]["uid"].clone();
    let name = job["metadata"]["name"].clone();
    job["metadata"]["generation"] = json!(1);
    for (label, value) in [("controller-uid", &uid), ("job-name", &name)] {
        job["spec"]["template"]["metadata"]["labels"][label] = value.clone();
        job["spec"]["template"]["metadata"]["labels"][format!("batch.kubernetes.io/{label}")] = value.clone();
    }
    job["spec"]["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}});
    job["status"] = json!({});
}

/// The two APIs of Events are two names of the same fields.
fn complete_event(event: &mut Value) {
    for (one, other) in
        [("regarding", "involvedObject"), ("note", "message"), ("reportingController", "reportingComponent")]
    {
        for (from, to) in [(one, other), (other, one)] {
            if event[to].is_null() && !event[from].is_null() {
                event[to] = event[from].clone();
            }
        }
    }
}

/// PATCH as a merge; a strategic merge is one, too. `None` for patches of other kinds.
pub fn patch(request: &Recorded, target: &Target<'_>, state: &mut State) -> Option<Response> {
    let merges = ["application/merge-patch+json", "application/strategic-merge-patch+json"];
    if !merges.contains(&request.header("content-type")?) {
        return None;
    }
    let patch = request.json();
    let found = match target.find(&state.store) {
        Ok(found) => found.clone(),
        Err(missing) => return Some(missing),
    };
    let name = target.name.unwrap_or_default();
    for field in ["uid", "resourceVersion"] {
        let wanted = &patch["metadata"][field];
        if !wanted.is_null() && *wanted != found["metadata"][field] {
            return Some(Response::json(409, &status::conflict(&target.kind.full_name(), name)));
        }
    }
    let mut patched = found.clone();
    merge(&mut patched, &patch);
    if patched["spec"] != found["spec"]
        && let Some(generation) = found["metadata"]["generation"].as_i64()
    {
        patched["metadata"]["generation"] = json!(generation + 1);
    }
    if !request.is_dry_run() {
        let uid = &found["metadata"]["uid"];
        state.store.change(|objects| {
            let same = |object: &Value| object["metadata"]["uid"] == *uid;
            let mut all = objects.iter_mut().filter(|(of, object)| *of == target.kind.resource && same(object));
            if let Some((_, object)) = all.next() {
                *object = patched.clone();
            }
        });
    }
    let answer = if request.is_dry_run() { &patched } else { target.find(&state.store).ok()? };
    Some(Response::json(200, &target.kind.typed(answer)))
}

/// PATCH of a workload's replicas: its Scale is what is answered.
pub fn patch_scale(request: &Recorded, target: &Target<'_>, state: &mut State) -> Option<Response> {
    let answer = patch(request, target, state)?;
    if answer.code != 200 {
        return Some(answer);
    }
    let workload: Value = serde_json::from_slice(&answer.body).ok()?;
    let metadata = &workload["metadata"];
    let scale = json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": metadata["name"], "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]},
        "spec": {"replicas": workload["spec"]["replicas"]}, "status": {"replicas": workload["status"]["replicas"]},
    });
    Some(Response::json(200, &scale))
}

/// RFC 7396.
fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *value = patch.clone();
        return;
    };
    // Of a strategic merge.
    let replaces = patch.get("$patch").is_some_and(|directive| directive == "replace");
    if !value.is_object() || replaces {
        *value = json!({});
    }
    for (key, patch) in patch.iter().filter(|(key, _)| !replaces || *key != "$patch") {
        match (value.as_object_mut(), patch) {
            (Some(object), Value::Null) => drop(object.remove(key)),
            _ => merge(&mut value[key], patch),
        }
    }
}

/// DELETE. The pods of a Job stay unless `propagationPolicy` says otherwise, as `batch/v1` has it. What goes is gone at
/// once.
pub fn delete(request: &Recorded, target: &Target<'_>, state: &mut State) -> Response {
    let found = match target.find(&state.store) {
        Ok(found) => found.clone(),
        Err(missing) => return missing,
    };
    let (kind, name) = (target.kind, target.name.unwrap_or_default());
    let uid = &found["metadata"]["uid"];
    let wanted = &request.json()["preconditions"];
    for (field, title) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        let (wanted, has) = (&wanted[field], &found["metadata"][field]);
        if let Some(wanted) = wanted.as_str().filter(|wanted| Some(*wanted) != has.as_str()) {
            let message = format!(
                "Operation cannot be fulfilled on {} \"{name}\": the {title} in the precondition ({wanted}) does not \
                 match the {title} in record ({}). The object might have been deleted and then recreated",
                kind.full_name(),
                has.as_str().unwrap_or_default()
            );
            return refuse(409, "Conflict", &message);
        }
    }
    if !request.is_dry_run() {
        let takes_pods = matches!(request.option("propagationPolicy").as_deref(), Some("Background" | "Foreground"));
        state.store.change(|objects| {
            objects.retain(kind.resource, |object| object["metadata"]["uid"] != *uid);
            if takes_pods {
                let owned = |pod: &Value| {
                    let owners = pod["metadata"]["ownerReferences"].as_array();
                    owners.is_some_and(|owners| owners.iter().any(|owner| owner["uid"] == *uid))
                };
                objects.retain("pods", |pod| !owned(pod));
            }
        });
    }
    if kind.resource == "pods" {
        let mut pod = kind.typed(&found);
        pod["metadata"]["deletionTimestamp"] = json!(now());
        return Response::json(200, &pod);
    }
    let details = json!({"name": name, "group": kind.group(), "kind": kind.resource, "uid": uid});
    let success =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    Response::json(200, &success)
}

fn refuse(code: u16, reason: &str, message: &str) -> Response {
    Response::json(code, &status::failure(code, reason, message))
}
