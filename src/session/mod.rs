//! A session in an environment, from its target to its exit code: what `shell`, `pyshell` and `manage` share.
