//! `metav1.Status` bodies with the texts Kubernetes itself uses.

use serde_json::{Value, json};

/// A failure.
pub fn failure(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    })
}

/// 401.
pub fn unauthorized() -> Value {
    failure(401, "Unauthorized", "Unauthorized")
}

/// 403 by RBAC. `resource` may have a subresource (`pods/exec`); `name` is empty for LIST.
pub fn forbidden(user: &str, verb: &str, resource: &str, name: &str, namespace: &str) -> Value {
    let kind = resource.split('/').next().unwrap_or_default();
    let group = match kind {
        "deployments" | "replicasets" | "statefulsets" => "apps",
        "jobs" => "batch",
        "poddisruptionbudgets" => "policy",
        _ => "",
    };
    let object = match (name, group) {
        ("", "") => kind.to_owned(),
        ("", group) => format!("{kind}.{group}"),
        (name, "") => format!("{kind} \"{name}\""),
        (name, group) => format!("{kind}.{group} \"{name}\""),
    };
    let message = format!(
        "{object} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" in the \
         namespace \"{namespace}\""
    );
    let mut status = failure(403, "Forbidden", &message);
    status["details"] = json!({"name": name, "group": group, "kind": kind});
    status
}

/// 404 of one object.
pub fn not_found(resource: &str, name: &str) -> Value {
    let mut status = failure(404, "NotFound", &format!("{resource} \"{name}\" not found"));
    status["details"] = json!({"name": name, "kind": resource.split('.').next()});
    status
}

/// 404 of a path that no API has.
pub fn no_such_path() -> Value {
    failure(404, "NotFound", "the server could not find the requested resource")
}

/// 409 of an update.
pub fn conflict(resource: &str, name: &str) -> Value {
    let message = format!(
        "Operation cannot be fulfilled on {resource} \"{name}\": the object has been modified; please apply your changes \
         to the latest version and try again"
    );
    failure(409, "Conflict", &message)
}

/// 409 of a create.
pub fn already_exists(resource: &str, name: &str) -> Value {
    let mut status = failure(409, "AlreadyExists", &format!("{resource} \"{name}\" already exists"));
    let (kind, group) = resource.split_once('.').unwrap_or((resource, ""));
    status["details"] = json!({"name": name, "group": group, "kind": kind});
    status
}

/// 403 of a create, by the quota `quota`.
pub fn quota_exceeded(resource: &str, name: &str, quota: &str) -> Value {
    let message = format!(
        "{resource} \"{name}\" is forbidden: exceeded quota: {quota}, requested: count/jobs.batch=1, used: \
         count/jobs.batch=5, limited: count/jobs.batch=5"
    );
    failure(403, "Forbidden", &message)
}

/// 410: what happened after this revision is no longer known.
pub fn expired(revision: u64, oldest: u64) -> Value {
    failure(410, "Expired", &format!("too old resource version: {revision} ({oldest})"))
}

/// 504: it may have been done all the same.
pub fn timeout() -> Value {
    let message = "Timeout: request did not complete within the requested timeout - context deadline exceeded";
    failure(504, "Timeout", message)
}

/// 429.
pub fn too_many_requests(seconds: u32) -> Value {
    let message = "the server has received too many requests and has asked us to try again later";
    let mut status = failure(429, "TooManyRequests", message);
    status["details"] = json!({"retryAfterSeconds": seconds});
    status
}

/// 500.
pub fn internal_error(message: &str) -> Value {
    let mut status = failure(500, "InternalError", &format!("Internal error occurred: {message}"));
    status["details"] = json!({"causes": [{"message": message}]});
    status
}

/// 503.
pub fn unavailable() -> Value {
    failure(503, "ServiceUnavailable", "the server is currently unable to handle the request")
}

/// The last frame of an exec that ended well.
pub fn success() -> Value {
    json!({"metadata": {}, "status": "Success"})
}

/// The last frame of an exec whose command ended with this code.
pub fn exit_code(code: i32) -> Value {
    if code == 0 {
        return success();
    }
    json!({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: exit status {code}"),
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}

/// The last frame of an exec whose program is not in the image.
pub fn executable_not_found(program: &str) -> Value {
    exec_failed(&format!("exec: \"{program}\": executable file not found in $PATH"))
}

/// The last frame of an exec whose program may not be executed.
pub fn permission_denied(program: &str) -> Value {
    exec_failed(&format!("exec: \"{program}\": permission denied"))
}

fn exec_failed(cause: &str) -> Value {
    internal_error(&format!(
        "Internal error occurred: error executing command in container: failed to exec in container: failed to start \
         exec \"1f2e\": OCI runtime exec failed: exec failed: unable to start container process: {cause}"
    ))
}
