//! Groups of exceptions for people and for programs.

use serde_json::json;

use super::{
    super::render::{Clock, JSON_SHAPE},
    Group, Groups,
};

/// All groups, the largest first, each with its example.
pub fn table(groups: &Groups, clock: &mut Clock, examples: bool) -> String {
    let mut text = String::new();
    for group in groups.all() {
        text.push_str(&line(group, clock));
        if examples {
            for line in group.example.trim_end().lines() {
                text.push_str("    ");
                text.push_str(line);
                text.push('\n');
            }
            text.push('\n');
        }
    }
    if groups.others() > 0 {
        text.push_str(&format!("{} more, of other kinds\n", groups.others()));
    }
    text
}

/// Groups that have grown, a line for each.
pub fn changed(groups: &[Group], clock: &mut Clock) -> String {
    groups.iter().map(|group| line(group, clock)).collect()
}

/// `12× 2026-11-21 16:02:47 - 16:20:01 shop.errors.Boom: order 17 failed (/app/orders/views.py:31 in post) web-7k2xq, …`
fn line(group: &Group, clock: &mut Clock) -> String {
    let (first_date, first) = clock.date_and_second(group.first);
    let mut text = format!("{}\u{d7} {first_date} {first} ", group.count);
    let (date, last) = clock.date_and_second(group.last);
    if (&date, &last) != (&first_date, &first) {
        let date = if date == first_date { String::new() } else { format!("{date} ") };
        text.push_str(&format!("- {date}{last} "));
    }
    text.push_str(&group.key.class);
    if !group.message.is_empty() {
        text.push_str(if group.key.class.is_empty() { "" } else { ": " });
        text.push_str(&group.message);
    }
    if !group.key.place.is_empty() {
        text.push_str(&format!(" ({})", group.key.place));
    }
    text.push_str(&format!(" {}\n", group.pods.join(", ")));
    text
}

/// All groups, one object per line.
pub fn json(groups: &Groups) -> String {
    let mut text = objects(groups.all());
    if groups.others() > 0 {
        text.push_str(&format!("{}\n", json!({"version": JSON_SHAPE, "kind": "others", "count": groups.others()})));
    }
    text
}

/// Groups as they are now, one object per line.
pub fn objects<'a>(groups: impl IntoIterator<Item = &'a Group>) -> String {
    let mut text = String::new();
    for group in groups {
        let object = json!({
            "version": JSON_SHAPE,
            "kind": "group",
            "count": group.count,
            "first": format!("{:.9}", group.first),
            "last": format!("{:.9}", group.last),
            "class": group.key.class,
            "message": group.message,
            "pattern": group.key.message,
            "place": group.key.place,
            "pods": group.pods,
            "example": group.example,
        });
        text.push_str(&format!("{object}\n"));
    }
    text
}
